import { describe, expect, test } from 'vitest';
import { claimsOf, parseConfig } from '../../plugin/config/parse.ts';
import { configOf, problemsOf } from '../support/configs.ts';

const LEAST = 'datasource: { raw: load }\nsteps: [run]\n';
const least = (more: string): string => `${LEAST}${more}`;

test('the least configuration gets every default', () => {
  const config = configOf(LEAST, 'experiments/lab/config.yaml');
  expect(config).toMatchObject({
    file: 'experiments/lab/config.yaml',
    folder: 'experiments/lab',
    name: { value: 'lab' },
    description: undefined,
    replicates: undefined,
    seed: 0,
    params: {},
    inputs: [],
    outputs: [],
    baseline: { name: 'baseline', values: {}, datasource: [] },
    treatments: [],
    hypotheses: [],
    presentation: { group: undefined, priority: undefined, icon: undefined, color: undefined, hidden: false },
    execution: { workers: undefined, concurrency: 1, timeoutMs: undefined, retries: 0 },
  });
});

test.each(['>', '|', '|+'])('a description below "%s" is one line', (style) => {
  const config = configOf(least(`description: ${style}\n  Which prompt\n  is better?\n\nseed: 1\n`));
  expect(config.description).toBe('Which prompt is better?');
});

test('a configuration that says everything is read as it stands', () => {
  const config = configOf(
    [
      'name: other',
      'description: One line.',
      'replicates: 12',
      'seed: 42',
      'params: { epochs: 10 }',
      'datasource: { raw: load, big: { load: { path: big.csv } }, summary: producer#summary }',
      'steps: [inspect, clean: { drop_nulls: true }]',
      'outputs: { report: { file_name: plots/report.json, writer: dump_json, loader: load_json }, log: }',
      'treatments: { baseline: { rate: 1 }, high: { rate: 2, datasource: { summary: "third#summary" } }, plain: }',
      'cli: { group: Training, priority: 10, icon: "🧪", color: "#85C1E9", hidden: true }',
      'execution: { workers: 4, concurrency: 2, timeout: 1.5m, retries: 3, shards: 4, estimate: 30s }',
    ].join('\n'),
  );
  expect(config).toMatchObject({
    name: { value: 'other' },
    description: 'One line.',
    replicates: { value: 12 },
    seed: 42,
    params: { epochs: 10 },
    datasource: [
      { alias: 'raw', source: { type: 'function', name: 'load', args: {} } },
      { alias: 'big', source: { type: 'function', name: 'load', args: { path: 'big.csv' } } },
      { alias: 'summary', source: { type: 'reference', experiment: 'producer', output: 'summary' } },
    ],
    steps: [
      { type: 'function', name: 'inspect', args: {} },
      { type: 'function', name: 'clean', args: { drop_nulls: true } },
    ],
    outputs: [
      { alias: 'report', fileName: 'plots/report.json', writer: 'dump_json', loader: 'load_json' },
      { alias: 'log', fileName: 'log', writer: undefined, loader: undefined },
    ],
    baseline: { values: { rate: 1 } },
    treatments: [
      {
        name: 'high',
        values: { rate: 2 },
        datasource: [{ alias: 'summary', source: { experiment: 'third' } }],
      },
      { name: 'plain', values: {}, datasource: [] },
    ],
    presentation: { group: 'Training', priority: 10, icon: '🧪', color: '#85C1E9', hidden: true },
    execution: { workers: 4, concurrency: 2, timeoutMs: 90_000, retries: 3, shards: 4, estimateMs: 30_000 },
  });
});

test('a datasource may be a list of mappings', () => {
  const { datasource } = configOf('datasource:\n  - raw: load\n  - labels: a#b\nsteps: [run]\n');
  expect(datasource.map(({ alias, source }) => [alias, source.type])).toEqual([
    ['raw', 'function'],
    ['labels', 'reference'],
  ]);
});

test('a step without arguments may end with a colon', () => {
  expect(configOf('datasource: { raw: load }\nsteps:\n  - clean:\n').steps).toMatchObject([
    { name: 'clean', args: {} },
  ]);
});

describe('a hypothesis', () => {
  const groups = (metrics: string): unknown =>
    configOf(least(`treatments: { a: }\nhypotheses: [{ verifier: t, metrics: ${metrics} }]\n`)).hypotheses[0];

  test('is named after its verifier by default', () => {
    expect(groups('loss')).toMatchObject({ name: 't', verifier: 't' });
  });
  test.each([
    ['loss', [['loss']]],
    ['[loss, accuracy]', [['loss', 'accuracy']]],
    ['[[loss], [accuracy, f1]]', [['loss'], ['accuracy', 'f1']]],
    ['[loss, [accuracy, f1]]', [['loss'], ['accuracy', 'f1']]],
  ])('on %s has the groups %j', (metrics, expected) => {
    expect(groups(metrics)).toMatchObject({ metricGroups: expected });
  });
});

test('inputs are found from the folder or from the root', () => {
  const { inputs } = configOf(
    least(
      'inputs: [data/*.csv, ./x, ../shared/y, "{projectRoot}/z", "{workspaceRoot}/w/*", { env: MODEL }]\n',
    ),
    'experiments/lab/config.yaml',
  );
  expect(inputs.map((input) => (input.type === 'env' ? `$${input.name}` : input.glob))).toEqual([
    'experiments/lab/data/*.csv',
    'experiments/lab/x',
    'experiments/shared/y',
    'experiments/lab/z',
    'w/*',
    '$MODEL',
  ]);
});

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['10m', 600_000],
  ['1.5h', 5_400_000],
])('a timeout of %s is %d ms', (timeout, ms) => {
  expect(configOf(least(`execution: { timeout: ${timeout} }\n`)).execution.timeoutMs).toBe(ms);
});

test('a file name may begin with two dots and still stay in its folder', () => {
  const { outputs } = configOf(least('outputs: { a: { file_name: ..a/./b//c.json } }\n'));
  expect(outputs[0]?.fileName).toBe('..a/b/c.json');
});

test('every problem is reported, not only the first', () => {
  expect(problemsOf('steps: 1\nseed: x\nnoise: 1\n').map((problem) => problem.split(':')[0])).toEqual([
    'config/missing-key',
    'config/invalid-type',
    'config/invalid-type',
    'config/unknown-key',
  ]);
});

test('more problems than a person reads are cut off', () => {
  const many = Array.from({ length: 3000 }, (_, i) => `k${i}: 1\n`).join('');
  expect(problemsOf(least(many))).toHaveLength(50);
});

describe('the name that a config claims', () => {
  test('is its name, although the rest is wrong', () => {
    expect(claimsOf('lab/config.yaml', 'name: other\nsteps: 1\n').name).toBe('other');
  });
  test('is its name, although the text is no YAML', () => {
    expect(claimsOf('lab/config.yaml', 'steps: [\nname: "other" # so\r\n').name).toBe('other');
  });
  test('is else that of the folder', () => {
    expect(claimsOf('a/lab/config.yaml', 'name: [x]\n').name).toBe('lab');
    expect(claimsOf('a/lab/config.yaml', 'steps: [\n').name).toBe('lab');
  });
});

describe('a text made to hang or to crash the reader gives a problem instead', () => {
  const hostile: Record<string, string> = {
    'brackets without end': '['.repeat(60_000),
    'lists in lists': '- '.repeat(30_000),
    'keys of keys': '? '.repeat(30_000),
    'mappings in mappings': '{a: '.repeat(15_000),
    'aliases by the thousand': `a: &a [1, 2]\nb: [${'*a, '.repeat(15_000)}]\n`,
    commas: `[${','.repeat(60_000)}`,
    'keys by the thousand': Array.from({ length: 6_000 }, (_, i) => `k${i}: 1`).join('\n'),
  };
  for (const [what, text] of Object.entries(hostile)) {
    test(what, () => {
      expect(parseConfig('lab/config.yaml', text).ok).toBe(false);
    });
  }
});
