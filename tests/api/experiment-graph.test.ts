import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { defineExperiment, ExperimentGraph, withMetrics } from 'nx-experiments';
import { expect, test } from 'vitest';
import { config, Lab } from '../support/engine.ts';
import { Folder } from '../support/folder.ts';
import { producerIn } from './lab.ts';

const STEPS = `
export const source = (ctx) => ctx.replicate;
export const step = async (data, ctx) => {
  console.log('step of', ctx.condition);
  if (ctx.params.broken) throw new RangeError('broken on purpose');
  ctx.metrics.add('value', typeof data === 'object' ? data.up.value + 10 : data + (ctx.params.plus ?? 0));
  if (ctx.experiment !== 'last') await ctx.artifact('out').write({ value: data + (ctx.params.plus ?? 0) });
  return data;
};
`;

const outputs = { out: { file_name: 'out.json', writer: 'dump_json', loader: 'load_json' } };

function chain(): Lab {
  return new Lab({
    'first/config.yaml': config({ replicates: 3, outputs, treatments: { more: { plus: 5 } } }),
    'first/steps.mjs': STEPS,
    'first/datasources.mjs': STEPS,
    'last/config.yaml': { datasource: { up: 'first#out' }, steps: ['step'] },
    'last/steps.mjs': STEPS,
    'other/config.yaml': { datasource: { up: 'nowhere#out' }, steps: ['step'] },
  });
}

test('a folder runs with what it reads, wherever it lies; others may be broken', async () => {
  using lab = chain();
  for (const path of ['last', 'last/config.yaml']) {
    const graph = ExperimentGraph.fromYaml(`${lab.root}/${path}`);
    expect(graph.order).toEqual(['first', 'last']);
    expect(graph.conditions('last')).toEqual(['baseline', 'more']);
  }
  const results = await ExperimentGraph.fromYaml(`${lab.root}/last`).run();
  expect(results.last?.values('value', 'more')).toEqual([15, 16, 17]);
  expect(results.last?.status).toBe('succeeded');
  const again = await ExperimentGraph.fromYaml(`${lab.root}/last`).run();
  expect(again.last?.provenance.conditions.more).toMatchObject({ reused: 3, ran: 0 });
  expect(again.last?.values('value', 'more')).toEqual([15, 16, 17]);
  const rerun = await ExperimentGraph.fromYaml(`${lab.root}/last`).run({ strategy: 'rerun' });
  expect(rerun.last?.provenance.conditions.more).toMatchObject({ reused: 0, ran: 3 });
});

test('what is wrong is told of what was asked for and of what it reads, and of nothing else', () => {
  using lab = chain();
  const told = (name: string): string[] => {
    try {
      ExperimentGraph.fromYaml(`${lab.root}/${name}`);
      return [];
    } catch (error) {
      return [...(error as Error).message.matchAll(/^(\S+):\d+:\d+ - error (\S+):/gm)].map(
        ([, file, code]) => `${file} ${code}`,
      );
    }
  };
  const unknown = 'other/config.yaml graph/unknown-experiment';
  lab.write({ 'other/config.yaml': config({ datasource: { up: 'nowhere#out' }, outputs }) });
  lab.write({ 'broken/config.yaml': config({ replicats: 2, datasource: { up: 'other#out' } }) });
  const broken = 'broken/config.yaml config/unknown-key';
  expect(told('broken')).toEqual([broken, unknown]);
  lab.write({
    'reader/config.yaml': { datasource: { up: 'broken#out', more: 'last#out' }, steps: ['step'] },
  });
  expect(told('reader')).toEqual([broken, unknown, 'reader/config.yaml graph/unknown-output']);
  expect(told('other')).toEqual([unknown]);
  lab.write({ 'first/config.yaml': 'steps: [' });
  expect(told('last')).toEqual([expect.stringMatching('^first/config.yaml config/')]);
  expect(told('first')).toHaveLength(1);
  expect(told('.')).toHaveLength(4);
});

test('shared code counts in a workspace that is given by a link', async () => {
  using lab = new Lab({
    'e/config.yaml': config(),
    'e/datasources.ts': 'export const source = () => 1;\n',
    'e/steps.ts': "import { shared } from '../shared.ts';\nexport const step = () => shared;\n",
    'shared.ts': 'export const shared = 1;\n',
  });
  using folder = new Folder();
  symlinkSync(lab.root, folder.join('link'));
  const run = async () => (await ExperimentGraph.fromYaml(folder.join('link', 'e')).run()).e?.provenance;
  await run();
  expect((await run())?.conditions.baseline).toMatchObject({ reused: 1, ran: 0 });
  lab.write({ 'shared.ts': 'export const shared = 2;\n' });
  expect((await run())?.conditions.baseline).toMatchObject({ reused: 0, ran: 1 });
});

test('problems of the configs are told with their place', () => {
  using lab = chain();
  expect(() => ExperimentGraph.fromYaml(`${lab.root}/other`)).toThrow(
    /other\/config.yaml:1:\d+ - error graph\/unknown-experiment: There is no experiment "nowhere"/,
  );
  expect(() => ExperimentGraph.fromYaml(`${lab.root}/nothing`)).toThrow('There is no "');
  expect(() => ExperimentGraph.fromYaml(`${lab.root}/last/steps.mjs`)).toThrow('is no config.yaml');
});

test('what is wrong with an experiment that can be run is told as well, and nothing of the others', () => {
  using lab = new Lab({
    'one/config.yaml': config({ name: 'up', outputs }),
    'two/config.yaml': config({ name: 'up', outputs }),
    'reader/config.yaml': { datasource: { up: 'up#out' }, steps: ['step'] },
    'idle/config.yaml': config({ hypotheses: [{ metrics: 'value' }] }),
    'both/config.yaml': config(),
    'both/config.yml': config({ name: 'another' }),
    'mixed/config.yaml': config(),
    'mixed/steps.mjs': STEPS,
    'mixed/steps.py': '',
    'sound/config.yaml': config(),
  });
  const problems = (path: string): string[] => {
    try {
      ExperimentGraph.fromYaml(`${lab.root}/${path}`);
      return [];
    } catch (error) {
      return (
        (error as Error).message
          .match(/^\S+ - error \S+(?=:)/gm)
          ?.map((line) => line.replace(/:\d+:\d+/, '')) ?? []
      );
    }
  };
  const twice = ['one/config.yaml - error graph/duplicate-experiment'];
  expect(problems('one')).toEqual(twice);
  expect(problems('reader')).toEqual(twice);
  expect(problems('idle')).toEqual(['idle/config.yaml - error graph/nothing-to-compare']);
  expect(problems('both')).toEqual(['both/config.yml - error config/two-files']);
  expect(problems('mixed')).toEqual(['mixed/config.yaml - error modules/two-languages']);
  expect(problems('sound')).toEqual([]);
});

test('stream gives replicates, conditions and results as they come, reused ones too', async () => {
  using lab = chain();
  const graph = ExperimentGraph.fromYaml(`${lab.root}/last`);
  for (const reused of [false, true]) {
    const counts: Record<string, number> = {};
    for await (const item of graph.stream()) {
      counts[item.type] = (counts[item.type] ?? 0) + 1;
      if (item.type === 'replicate') expect(item.reused).toBe(reused);
    }
    expect(counts).toEqual({ replicate: 12, condition: 4, result: 2 });
  }
});

test('leaving the stream stops the run', async () => {
  using folder = new Folder();
  const graph = ExperimentGraph.fromExperiments(producerIn(folder, 100_000));
  for await (const item of graph.stream()) if (item.type === 'replicate') break;
  expect(readdirSync(folder.join('producer/results'))).toEqual([]);
});

test('a signal stops the run: the results say so', async () => {
  using folder = new Folder();
  const stop = new AbortController();
  const { producer } = await ExperimentGraph.fromExperiments(producerIn(folder, 100_000)).run({
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'replicate-finished') stop.abort();
    },
  });
  expect(producer.status).toBe('aborted');
  expect(producer.errors.map(({ message }) => message)).toEqual([
    'producer/baseline was stopped',
    'producer/doubled was stopped',
  ]);
});

test.each(['condition-started', 'replicate-finished', 'condition-finished'])(
  'what a listener throws at %s stops the run, which rejects with it',
  async (type) => {
    using folder = new Folder();
    const graph = ExperimentGraph.fromExperiments(producerIn(folder, 50));
    let heard = 0;
    const running = graph.run({
      onEvent: (event) => {
        if (event.type !== type) return;
        heard++;
        throw new Error('of the listener');
      },
    });
    await expect(running).rejects.toThrow(/^of the listener$/);
    expect(heard).toBe(1);
    expect((await graph.run()).producer.status).toBe('succeeded');
  },
);

test('a report that cannot be written fails its experiment, and the rest goes on', async () => {
  using folder = new Folder();
  const results = folder.join('producer/results');
  mkdirSync(join(results, 'ro-crate-metadata.json/in-the-way'), { recursive: true });
  mkdirSync(join(results, '.report.99999999'));
  const graph = ExperimentGraph.fromExperiments(producerIn(folder), producerIn(folder, 3, 'other'));
  const { producer, other } = await graph.run();
  expect(producer.errors.map(({ message }) => message)).toEqual([
    expect.stringMatching(/producer\/results\/report could not be written: E\w+: [\w ]+$/),
  ]);
  expect([producer.status, other.status]).toEqual(['failed', 'succeeded']);
  expect(producer.values('mean')).toHaveLength(3);
  expect(readdirSync(results).sort()).toEqual(['baseline', 'doubled', 'ro-crate-metadata.json']);
  rmSync(join(results, 'ro-crate-metadata.json'), { recursive: true });
  expect((await graph.run()).producer.status).toBe('succeeded');
  expect(readdirSync(results).sort()).toEqual(['baseline', 'doubled', 'report', 'ro-crate-metadata.json']);
});

test('a report that cannot be written is told beside a condition that failed', async () => {
  using lab = new Lab({
    'lab/config.yaml': config({ replicates: 1, outputs, treatments: { warm: {}, bad: { broken: true } } }),
    'lab/steps.mjs': STEPS,
    'lab/datasources.mjs': STEPS,
    'lab/results/ro-crate-metadata.json/in-the-way': '',
  });
  const { errors = [] } = (await ExperimentGraph.fromYaml(lab.root).run()).lab ?? {};
  expect(errors.map(({ message }) => message)).toEqual([
    expect.stringContaining('broken on purpose'),
    expect.stringContaining('lab/results/report could not be written: '),
  ]);
});

test('an artifact that a later run has replaced is refused, never taken for that of the earlier one', async () => {
  using folder = new Folder();
  const graph = ExperimentGraph.fromExperiments(producerIn(folder));
  const before = (await graph.run({ seed: 1 })).producer;
  const after = (await graph.run({ seed: 2 })).producer;
  const [mean] = after.values('mean');
  expect(await after.artifacts.baseline[0]?.summary.load()).toEqual({ mean });
  const path = folder.join('producer/results/baseline/artifacts/replicate_0/summary.json');
  const refused = new Error(
    `${path} is not what this run wrote: a later run has replaced it, or it was edited.`,
  );
  await expect(before.artifacts.baseline[0]?.summary.load()).rejects.toEqual(refused);
  await graph.run({ seed: 1 });
  expect(await before.artifacts.baseline[0]?.summary.load()).toEqual({ mean: before.values('mean')[0] });
});

test('debug runs one replicate in this process, and leaves the results alone', async () => {
  using lab = chain();
  const graph = ExperimentGraph.fromYaml(`${lab.root}/last`);
  await graph.run();
  const before = lab.snapshot();
  const lines: string[] = [];
  const print = (line: string): unknown => lines.push(line);
  const cwd = process.cwd();
  const { metrics } = await graph.experiment('last').debug('more', { print });
  expect(metrics.value).toEqual([15]);
  expect(lines.join('\n')).toContain('last/more: seed 0');
  expect(lines.join('\n')).toContain('first/more: 1 replicate, 1 reused');
  expect(process.cwd()).toBe(cwd);
  const kept = Object.entries(lab.snapshot()).filter(([path]) => !path.includes('/.debug/'));
  expect(Object.fromEntries(kept)).toEqual(before);
  await expect(graph.experiment('last').debug('mroe')).rejects.toThrow('Did you mean "more"?');
});

test('debug throws what the step threw', async () => {
  using lab = new Lab({
    'a/config.yaml': config({ params: { broken: true }, outputs }),
    'a/steps.mjs': STEPS,
    'a/datasources.mjs': STEPS,
  });
  const debugging = ExperimentGraph.fromYaml(`${lab.root}/a`)
    .experiment('a')
    .debug('baseline', { print: () => {} });
  const thrown = await debugging.then(
    () => undefined,
    (error: Error) => error,
  );
  expect(thrown).toMatchObject({ name: 'RangeError', message: 'broken on purpose' });
  expect(thrown?.stack).toMatch(/steps\.mjs:5/);
});

test('an experiment in code reads one of a folder', async () => {
  using lab = chain();
  const first = ExperimentGraph.fromYaml(`${lab.root}/first`).experiment('first');
  const reader = defineExperiment({
    name: 'reader',
    folder: `${lab.root}/reader`,
    datasource: first.artifactDatasource({ output: 'out' }),
    steps: [(data) => withMetrics(data, { seen: (data as { value: number }).value })],
  });
  const results = await ExperimentGraph.fromExperiments(reader).run();
  expect(results.reader.values('seen', 'more')).toEqual([5, 6, 7]);
});

test('an experiment in code that clashes with a folder is refused, with the place in both', () => {
  using lab = chain();
  const first = ExperimentGraph.fromYaml(`${lab.root}/first`).experiment('first');
  const define = (name: string, folder: string) =>
    defineExperiment({
      name,
      folder: join(lab.root, folder),
      datasource: () => 1,
      steps: [(x: number) => x],
    });
  expect(() => ExperimentGraph.fromExperiments(first, define('First', 'own'))).toThrow(
    /^first\/config.yaml:1:1 - error graph\/duplicate-experiment: .*\n\n {2}> 1 \|/,
  );
  for (const [one, other] of [
    [first, define('another', 'first')],
    [define('one', 'shared'), define('other', 'shared')],
  ] as const)
    expect(() => ExperimentGraph.fromExperiments(one, other)).toThrow(
      /have one folder, ".+": the results of one would replace those of the other/,
    );
  expect(ExperimentGraph.fromExperiments(define('one', 'a'), define('other', 'b')).order).toHaveLength(2);
});

test('with its module, an experiment in code runs in workers and is reused until the code changes', async () => {
  using lab = new Lab({
    'lab.ts': `
import { defineExperiment, ExperimentGraph, type StepContext, withMetrics } from 'nx-experiments';
import { plus } from './plus.ts';
const lab = defineExperiment({
  name: 'lab', module: import.meta.url, replicates: 4, folder: import.meta.dirname + '/lab',
  datasource: (ctx: StepContext) => ctx.replicate,
  steps: [(x: number) => withMetrics(x, { value: plus(x), here: process.pid })],
});
const { lab: result } = await ExperimentGraph.fromExperiments(lab).run();
console.log(JSON.stringify({ parent: process.pid, pids: result.values('here'), values: result.values('value'), ...result.provenance.conditions.baseline, errors: result.errors }));
`,
    'plus.ts': 'export const plus = (x: number): number => x + 1;\n',
    'package.json': { type: 'module' },
  });
  mkdirSync(`${lab.root}/node_modules`);
  symlinkSync(`${process.cwd()}/plugin`, `${lab.root}/node_modules/nx-experiments`);
  const run = () =>
    JSON.parse(
      execFileSync(`${process.cwd()}/node_modules/.bin/jiti`, ['lab.ts'], {
        cwd: lab.root,
        encoding: 'utf8',
      }),
    );
  const first = run();
  expect(first).toMatchObject({ values: [1, 2, 3, 4], ran: 4, errors: [] });
  expect(first.pids).not.toContain(first.parent);
  expect(run()).toMatchObject({ values: [1, 2, 3, 4], reused: 4, ran: 0, pids: first.pids });
  lab.write({ 'plus.ts': 'export const plus = (x: number): number => x + 2;\n' });
  expect(run()).toMatchObject({ values: [2, 3, 4, 5], reused: 0, ran: 4 });
});

test('CommonJS gets the same package', () => {
  const script = `import('nx-experiments').then((esm) => {
    const cjs = require('nx-experiments');
    console.log(cjs.ExperimentGraph === esm.ExperimentGraph, cjs.createNodesV2 === esm.createNodesV2);
    console.log(Object.keys(esm).length > 10, Object.keys(esm).every((name) => cjs[name] === esm[name]));
  });`;
  expect(execFileSync(process.execPath, ['--input-type=commonjs', '-e', script], { encoding: 'utf8' })).toBe(
    'true true\ntrue true\n',
  );
});
