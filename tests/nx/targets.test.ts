import type { ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import { describe, expect, test } from 'vitest';
import { experimentOf, type Graph } from '../../plugin/graph/graph.ts';
import { type ExperimentCode, projectOf } from '../../plugin/nx/targets.ts';
import { graphOf } from '../support/configs.ts';

const CODE: ExperimentCode = {
  shared: [],
  verifiers: [],
  loaders: new Map(),
  technologies: ['typescript'],
  foreign: new Set<string>(),
  python: { replicates: undefined, verifiers: undefined },
};

const GRAPH = graphOf({
  producer:
    'datasource: { raw: load }\nsteps: [run]\noutputs: { summary: { file_name: "s[1].json", loader: load_json }, raw: {} }\ntreatments: { high: {} }\n',
  other: 'datasource: { raw: load }\nsteps: [run]\noutputs: { summary: {} }\n',
  consumer: `description: Reads.
datasource: { a: producer#summary, b: producer#raw }
steps: [run]
inputs: [data/*.csv, { env: MODEL }]
treatments: { swapped: { datasource: { a: other#summary } } }
cli: { group: Training, icon: "🔬", priority: 10, color: "#85C1E9", hidden: true }
`,
});

function project(
  name: string,
  code: Partial<ExperimentCode> = {},
  graph: Graph = GRAPH,
): ProjectConfiguration {
  return projectOf(graph, experimentOf(graph, name), { ...CODE, ...code }, 'experiment');
}

function target(name: string, targetName: string, code: Partial<ExperimentCode> = {}): TargetConfiguration {
  const found = project(name, code).targets?.[targetName];
  if (found === undefined) throw new Error(`no target ${targetName}`);
  return found;
}

test('there is one target for each condition, and one that compares them', () => {
  expect(Object.keys(project('consumer').targets ?? {})).toEqual([
    'experiment',
    'experiment--baseline',
    'experiment--swapped',
    'experiment--high',
  ]);
});

test('the project shows what cli says', () => {
  expect(project('consumer')).toMatchObject({
    name: 'consumer',
    root: 'consumer',
    tags: ['experiment', 'group:Training'],
    metadata: {
      description: '🔬 Reads.',
      cli: { group: 'Training', icon: '🔬', priority: 10, color: '#85C1E9', hidden: true },
    },
  });
  expect(project('producer').metadata).not.toHaveProperty('cli');
  // Nothing beyond Latin-1 comes unasked: it would make the whole project graph twice as large in memory.
  expect(project('producer').metadata).not.toHaveProperty('description');
  expect(JSON.stringify(project('producer'))).toMatch(/^[\0-\xff]*$/);
});

describe('the comparison', () => {
  test('waits for every condition, and passes on what it is asked', () => {
    expect(target('consumer', 'experiment').dependsOn).toEqual([
      { target: 'experiment--baseline', params: 'forward' },
      { target: 'experiment--swapped', params: 'forward' },
      { target: 'experiment--high', params: 'forward' },
    ]);
  });
  test('is cached by config, verifiers and metrics alone: a changed step reaches it by the metrics', () => {
    expect(
      target('consumer', 'experiment', { verifiers: ['consumer/verifiers.ts'], shared: ['libs/x.ts'] }),
    ).toMatchObject({
      cache: true,
      inputs: [
        '{workspaceRoot}/consumer/config.yaml',
        '{workspaceRoot}/consumer/verifiers.ts',
        ...['baseline', 'swapped', 'high'].map((condition) => ({
          fileset: `{workspaceRoot}/consumer/results/${condition}/metrics.json`,
          includeIgnored: true,
        })),
      ],
      outputs: ['{projectRoot}/results/report', '{projectRoot}/results/ro-crate-metadata.json'],
    });
  });
});

describe('a condition', () => {
  test('waits for the upstream at the condition that it reads', () => {
    const waits = (name: string): unknown => target('consumer', name).dependsOn;
    expect(waits('experiment--baseline')).toEqual([
      { projects: ['producer'], target: 'experiment--baseline', params: 'forward' },
    ]);
    expect(waits('experiment--high')).toEqual([
      { projects: ['producer'], target: 'experiment--high', params: 'forward' },
    ]);
    expect(waits('experiment--swapped')).toEqual([
      { projects: ['other'], target: 'experiment--baseline', params: 'forward' },
      { projects: ['producer'], target: 'experiment--baseline', params: 'forward' },
    ]);
  });

  test('is cached by its files, by what it declares, and by the artifacts that it reads', () => {
    expect(target('consumer', 'experiment--high', { shared: ['libs/b.ts', 'libs/a.ts'] })).toMatchObject({
      cache: true,
      inputs: [
        '{projectRoot}/**/*',
        '!{projectRoot}/results/**/*',
        '!{projectRoot}/**/__pycache__/**',
        '{workspaceRoot}/libs/a.ts',
        '{workspaceRoot}/libs/b.ts',
        '{workspaceRoot}/consumer/data/*.csv',
        '{workspaceRoot}/consumer/data/*.csv/**/*',
        { env: 'MODEL' },
        ...['artifacts/replicate_0/s[[]1[]].json', 'artifacts/replicate_0/raw', 'further-artifacts.json'].map(
          (file) => ({
            fileset: `{workspaceRoot}/producer/results/high/${file}`,
            includeIgnored: true,
          }),
        ),
        '{workspaceRoot}/producer/package.json',
        '{workspaceRoot}/producer/project.json',
      ],
      outputs: ['{projectRoot}/results/high'],
    });
  });

  test.each([
    [1, '{workspaceRoot}/up/results/baseline/artifacts/replicate_0/raw'],
    [2, '{workspaceRoot}/up/results/baseline/artifacts/{replicate_0,replicate_1}/raw'],
    [33, undefined],
  ])('names the artifacts of %i replicates one by one, unless they are many', (replicates, fileset) => {
    const graph = graphOf({
      up: `replicates: ${replicates}\ndatasource: { raw: load }\nsteps: [run]\noutputs: { raw: {} }\n`,
      down: 'datasource: { raw: up#raw }\nsteps: [run]\n',
    });
    const { inputs } = project('down', {}, graph).targets?.['experiment--baseline'] ?? {};
    const further = '{workspaceRoot}/up/results/baseline/further-artifacts.json';
    expect(inputs?.slice(3, -2)).toEqual(
      fileset === undefined
        ? [{ dependentTasksOutputFiles: 'up/results/baseline/artifacts/*/raw', transitive: false }]
        : [fileset, further].map((file) => ({ fileset: file, includeIgnored: true })),
    );
  });

  test('has the code of the loaders that it uses among its inputs, once', () => {
    const loaders = new Map([
      ['producer', ['producer/outputs.ts']],
      ['other', ['other/outputs.ts']],
    ]);
    const { inputs } = target('consumer', 'experiment--swapped', {
      loaders,
      shared: ['producer/outputs.ts'],
    });
    expect(inputs).toContain('{workspaceRoot}/producer/outputs.ts');
    // Neither of the two artifacts has a loader of its own there: they are read as bytes.
    expect(inputs).not.toContain('{workspaceRoot}/other/outputs.ts');
    expect(inputs?.filter((input) => input === '{workspaceRoot}/producer/outputs.ts')).toHaveLength(1);
  });

  test('says in its options how it reads each artifact, so that a change of that reaches its hash', () => {
    expect(target('consumer', 'experiment--swapped').options).toEqual({
      condition: 'swapped',
      reads: { a: 'other#summary summary bytes at baseline', b: 'producer#raw raw bytes at baseline' },
    });
    expect(target('consumer', 'experiment--high').options).toMatchObject({
      reads: { a: 'producer#summary s[1].json load_json' },
    });
    expect(target('producer', 'experiment--high').options).toEqual({ condition: 'high' });
  });
});

describe('a condition in shards', () => {
  const DIVIDED = graphOf({
    producer: 'datasource: { raw: load }\nsteps: [run]\noutputs: { summary: {} }\nexecution: { shards: 3 }\n',
    consumer:
      'datasource: { a: producer#summary }\nsteps: [run]\nexecution: { shards: 2 }\ntreatments: { t--1of: {} }\ninputs: [x.csv]\n',
  });
  const targets = project('consumer', { shared: ['libs/a.ts'] }, DIVIDED).targets ?? {};

  test('has a target for each, beside the one that puts them together', () => {
    expect(Object.keys(targets)).toEqual([
      'experiment',
      'experiment--baseline',
      'experiment--baseline--1of2',
      'experiment--baseline--2of2',
      'experiment--t--1of',
      'experiment--t--1of--1of2',
      'experiment--t--1of--2of2',
    ]);
    expect(project('consumer', {}, DIVIDED).metadata?.targetGroups).toEqual({
      'experiment conditions': ['experiment--baseline', 'experiment--t--1of'],
      'experiment shards': Object.keys(targets).filter((name) => /of2$/.test(name)),
    });
  });

  test('gives all that it depends on to the shards, whose outputs are apart', () => {
    const [whole] = [
      project(
        'consumer',
        { shared: ['libs/a.ts'] },
        graphOf({
          producer: 'datasource: { raw: load }\nsteps: [run]\noutputs: { summary: {} }\n',
          consumer: 'datasource: { a: producer#summary }\nsteps: [run]\ninputs: [x.csv]\n',
        }),
      ).targets?.['experiment--baseline'],
    ];
    const shard = targets['experiment--baseline--2of2'];
    expect(shard).toMatchObject({ inputs: whole?.inputs, dependsOn: whole?.dependsOn, cache: true });
    expect(shard?.options).toEqual({ ...whole?.options, shard: '2of2' });
    expect(shard?.outputs).toEqual(['{projectRoot}/results/.shards/baseline/2of2']);
  });

  test('puts together what the shards say they have made, and nothing else', () => {
    expect(targets['experiment--baseline']).toMatchObject({
      cache: true,
      options: { condition: 'baseline', shards: 2 },
      dependsOn: [
        { target: 'experiment--baseline--1of2', params: 'forward' },
        { target: 'experiment--baseline--2of2', params: 'forward' },
      ],
      inputs: ['1of2', '2of2'].map((shard) => ({
        fileset: `{workspaceRoot}/consumer/results/.shards/baseline/${shard}/metrics.json`,
        includeIgnored: true,
      })),
      outputs: ['{projectRoot}/results/baseline'],
    });
  });
});

test('the same graph gives the same project', () => {
  expect(JSON.stringify(project('consumer'))).toBe(JSON.stringify(project('consumer')));
});
