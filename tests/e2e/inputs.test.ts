import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missed, type Workspace, workspace } from '../support/workspace.ts';

const FILES = {
  'package.json': JSON.stringify({
    name: 'fixture',
    private: true,
    type: 'module',
    workspaces: ['packages/*'],
    dependencies: { 'fixture-dependency': '1.0.0' },
  }),
  'package-lock.json': JSON.stringify({
    name: 'fixture',
    lockfileVersion: 3,
    packages: {
      '': { name: 'fixture', workspaces: ['packages/*'], dependencies: { 'fixture-dependency': '1.0.0' } },
      'node_modules/fixture-dependency': { version: '1.0.0', integrity: 'sha512-one' },
      'packages/stats': { name: '@fixture/stats', version: '1.0.0' },
      'node_modules/@fixture/stats': { resolved: 'packages/stats', link: true },
    },
  }),
  'tsconfig.base.json': '{ "compilerOptions": { "paths": { "@alias/*": ["./libs/alias/*"] } } }\n',
  'tsconfig.json': '{ "extends": "./tsconfig.base.json" }\n',
  'packages/stats/package.json':
    '{ "name": "@fixture/stats", "version": "1.0.0", "type": "module", "exports": "./src/index.ts" }\n',
  'packages/stats/src/index.ts': "export { half } from './half.ts';\n",
  'packages/stats/src/half.ts': 'export const half = (x: number): number => x / 2;\n',
  'libs/relative.ts':
    "export * from './reexported.ts';\nimport table from './table.json' with { type: 'json' };\nexport const weight: number = table.weight;\n",
  'libs/reexported.ts': 'export const one = 1;\n',
  'libs/table.json': '{ "weight": 1 }\n',
  'libs/alias/two.ts': 'export const two = 2;\n',
  'libs/late.ts': 'export const three = 3;\n',
  'libs/kinds/plain.ts': 'export const bonus = 0;\n',
  'libs/unrelated.ts': 'export const unrelated = 0;\n',
  'datasets/outside.csv': '1\n',
  'datasets/folder/a.txt': '1\n',

  'experiments/up/config.yaml': `
description: Upstream.
datasource: { numbers: numbers }
steps: [publish]
outputs: { sum: { file_name: "sum [1].json", writer: dump, loader: load } }
treatments: { doubled: { factor: 2 } }
`,
  'experiments/up/datasources.ts': 'export const numbers = (): number[] => [1, 2, 3];\n',
  'experiments/up/steps.ts': `
import { defineStep } from 'nx-experiments';
export const publish = defineStep({ factor: 1 }, async (numbers: number[], { factor }, ctx) => {
  await ctx.artifact('sum').write(factor * numbers.reduce((a, b) => a + b, 0));
  return numbers;
});
`,
  'experiments/up/outputs.ts': `
import { readFileSync } from 'node:fs';
import { parse } from '../../libs/parse.ts';
export const dump = (sum: number): string => String(sum);
export const load = (path: string): number => parse(readFileSync(path, 'utf8'));
export const load_again = load;
`,
  'libs/parse.ts': 'export const parse = (text: string): number => Number(text);\n',

  'experiments/down/config.yaml': `
datasource: { sum: up#sum }
params: { kind: plain }
inputs: ["data/*.csv", "{workspaceRoot}/datasets/outside.csv", "{workspaceRoot}/datasets/folder", { env: FIXTURE_MODEL }]
steps: [measure]
`,
  'experiments/down/data/inside.csv': '1\n',
  'experiments/down/nested/helper.ts': 'export const zero = 0;\n',
  'experiments/down/steps.ts': `
import { two } from '@alias/two.ts';
import { half } from '@fixture/stats';
import { defineStep, withMetrics } from 'nx-experiments';
import { one, weight } from '../../libs/relative.ts';
import { zero } from './nested/helper.ts';
export const measure = defineStep({ kind: 'plain' }, async (data: { sum: number }, { kind }) => {
  const { three } = await import('../../libs/late.ts');
  const { bonus } = await import(\`../../libs/kinds/\${kind}.ts\`);
  return withMetrics(data, { score: half(data.sum) + weight * (zero + one + two + three) + bonus });
});
`,
  'experiments/other/config.yaml': 'datasource: { numbers: numbers }\nsteps: [count]\n',
  'experiments/other/datasources.mjs': 'export const numbers = () => [1, 2];\n',
  'experiments/other/steps.mjs':
    "import { withMetrics } from 'nx-experiments';\nexport const count = (n) => withMetrics(n, { count: n.length });\n",
};

const UP = ['up:experiment', 'up:experiment--baseline', 'up:experiment--doubled'];
const DOWN = ['down:experiment', 'down:experiment--baseline', 'down:experiment--doubled'];
const OTHER = ['other:experiment', 'other:experiment--baseline'];
const ALL = [...DOWN, ...OTHER, ...UP];
const NOTHING: string[] = [];

let ws: Workspace;

beforeAll(async () => {
  ws = await workspace(FILES);
  await ws.link('packages/stats', '@fixture/stats');
  const { code, ran, output } = await ws.nx('run-many -t experiment');
  expect({ code, ran }, output).toEqual({ code: 0, ran: ALL });
  expect((await ws.nx('run-many -t experiment')).ran).toEqual(NOTHING);
});

afterAll(() => ws[Symbol.asyncDispose]());

/** Keeps every task from running that is not in the cache: fast, and leaves the cache as it is. */
const DRY = { NX_EXPERIMENTS_STORE_SIZE: 'unreadable' };

interface Row {
  readonly file?: string;
  /** New text of the file, from the old one. */
  readonly change?: (text: string) => string;
  readonly env?: Record<string, string>;
  readonly misses: readonly string[];
}

const edit = (file: string, from: string, to: string, misses: readonly string[] = DOWN): Row => ({
  file,
  change: (text) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  },
  misses,
});
const add = (file: string, text: string, misses: readonly string[] = DOWN): Row => ({
  file,
  change: () => text,
  misses,
});

const ROWS: Record<string, Row> = {
  'a step file': edit('experiments/down/steps.ts', '+ bonus', '+ 2 * bonus'),
  'a nested helper': edit('experiments/down/nested/helper.ts', '= 0', '= 100'),
  'shared code by a relative import': edit('libs/relative.ts', 'table.weight', '2 * table.weight'),
  'shared code by a re-export': edit('libs/reexported.ts', '= 1', '= 1000'),
  'a JSON import': edit('libs/table.json', '1', '3'),
  'shared code by a tsconfig path': edit('libs/alias/two.ts', '= 2', '= 20000'),
  'shared code by a dynamic import': edit('libs/late.ts', '= 3', '= 300000'),
  'shared code by a package of the workspace': edit('packages/stats/src/half.ts', 'x / 2', 'x / 4'),
  'a new file that a computed import may reach': add('libs/kinds/fancy.ts', 'export const bonus = 0.25;\n'),
  'a value in config.yaml': edit('experiments/down/config.yaml', 'kind: plain', 'kind: fancy'),
  'a declared file inside of the folder': add('experiments/down/data/inside.csv', '2\n'),
  'a declared file outside of the folder': add('datasets/outside.csv', '2\n'),
  'a new file in a declared folder': add('datasets/folder/b.txt', '2\n'),
  'a declared environment variable': { env: { FIXTURE_MODEL: 'large' }, misses: DOWN },
  'an environment variable that is not declared': { env: { FIXTURE_OTHER: 'large' }, misses: NOTHING },
  'a file that nobody imports': edit('libs/unrelated.ts', '= 0', '= 1', NOTHING),
  'the tsconfig that maps imports': edit('tsconfig.base.json', '/*"]', '/*", "./libs/*"]', ALL),
  'a dependency in the lock file': edit('package-lock.json', 'sha512-one', 'sha512-two', ALL),
  'the code of an upstream loader': edit('libs/parse.ts', 'Number(text)', 'Number(text) + 1', [
    ...DOWN,
    ...UP,
  ]),
};

describe('a change misses the cache in exactly the tasks that it can reach', () => {
  test.each(Object.keys(ROWS))('%s', async (name) => {
    const { file, change, env, misses } = ROWS[name] as Row;
    const old = file !== undefined && ws.has(file) ? await ws.read(file) : undefined;
    if (file && change) await ws.write(file, change(old ?? ''));
    const result = await ws.nx('run-many -t experiment', { ...DRY, ...env });
    if (file && old !== undefined) await ws.write(file, old);
    else if (file) await ws.remove(file);
    expect(missed(result), result.output).toEqual(misses);
  });

  test('and the results have all of the changes in them', async () => {
    const score = async (): Promise<number> =>
      JSON.parse(await ws.read('experiments/down/results/baseline/metrics.json')).replicates[0].metrics.score;
    expect(await score()).toEqual([6 / 2 + 1 * (0 + 1 + 2 + 3) + 0]);
    for (const { file, change } of Object.values(ROWS)) {
      if (file && change) await ws.write(file, change(ws.has(file) ? await ws.read(file) : ''));
    }
    const { code, ran, output } = await ws.nx('run-many -t experiment');
    expect({ code, ran }, output).toEqual({ code: 0, ran: ALL });
    expect(await score()).toEqual([7 / 4 + 6 * (100 + 1000 + 20000 + 300000) + 2 * 0.25]);
    expect((await ws.nx('run-many -t experiment')).ran).toEqual(NOTHING);
  });
});

interface UpstreamRow {
  readonly rows: readonly Row[];
  /** What runs downstream after the upstream has run again. */
  readonly after: readonly string[];
}

/** Each change is made on top of those before it. */
const UPSTREAM_ROWS: Record<string, UpstreamRow> = {
  'a comment, the description, and another way to the same artifact': {
    rows: [
      edit('experiments/up/steps.ts', '\n', '// Sums.\n'),
      edit('experiments/up/config.yaml', 'Upstream.', 'Sums.'),
      edit('experiments/up/datasources.ts', '[1, 2, 3]', '[3, 3]'),
    ],
    after: NOTHING,
  },
  'the artifact of one treatment': {
    rows: [edit('experiments/up/config.yaml', 'factor: 2', 'factor: 3')],
    after: ['down:experiment', 'down:experiment--doubled'],
  },
  "the loader's name": {
    rows: [edit('experiments/up/config.yaml', 'loader: load', 'loader: load_again')],
    after: DOWN,
  },
  'the file_name': {
    rows: [edit('experiments/up/config.yaml', 'sum [1].json', '{sum}.json')],
    after: DOWN,
  },
  'the artifacts, with signs of globs in their file_name': {
    rows: [edit('experiments/up/datasources.ts', '[3, 3]', '[50]')],
    after: DOWN,
  },
};

describe('after a change upstream, only what reads another artifact misses the cache', () => {
  test.each(Object.keys(UPSTREAM_ROWS))('%s', async (name) => {
    const { rows, after } = UPSTREAM_ROWS[name] as UpstreamRow;
    for (const { file, change } of rows)
      if (file && change) await ws.write(file, change(await ws.read(file)));
    const upstream = await ws.nx('run up:experiment');
    expect({ code: upstream.code, ran: upstream.ran }, upstream.output).toEqual({ code: 0, ran: UP });
    const result = await ws.nx('run-many -t experiment');
    expect({ code: result.code, ran: result.ran }, result.output).toEqual({ code: 0, ran: after });
  });
});

test('a report says at which condition the upstream is read, also where that changed no number', async () => {
  const STEPS = `
import { defineStep, withMetrics } from 'nx-experiments';
export const pass = defineStep({ factor: 1 }, async (data, { factor }, ctx) => {
  await ctx.artifact('out').write(factor);
  return withMetrics(data, { factor });
});
export const nothing = () => null;
`;
  const UP = 'datasource: { nothing: nothing }\nsteps: [pass]\noutputs: { out: { writer: dump_json } }\n';
  await using own = await workspace({
    'experiments/up/config.yaml': UP,
    'experiments/up/steps.mjs': STEPS,
    'experiments/up/datasources.mjs': "export { nothing } from './steps.mjs';\n",
    'experiments/down/config.yaml':
      'datasource: { before: up#out }\nsteps: [pass]\noutputs: { out: { writer: dump_json } }\ntreatments: { more: { factor: 5 } }\n',
    'experiments/down/steps.mjs': STEPS,
  });
  const readUnderMore = async (upstream: string) => {
    await own.write('experiments/up/config.yaml', upstream);
    const { code, output } = await own.nx('run-many -t experiment');
    expect(code, output).toBe(0);
    const { conditions } = JSON.parse(await own.read('experiments/down/results/report/summary.json'));
    return conditions[1].datasource;
  };
  expect(await readUnderMore(UP)).toEqual({ before: 'up#out at baseline' });
  expect(await readUnderMore(`${UP}treatments: { more: { unused: 1 } }\n`)).toEqual({
    before: 'up#out at more',
  });
  expect(await readUnderMore(UP)).toEqual({ before: 'up#out at baseline' });
});
