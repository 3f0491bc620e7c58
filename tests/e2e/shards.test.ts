import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRunRecord } from '../support/run-records.ts';
import { block, missed, type Workspace, workspace } from '../support/workspace.ts';

/** up, which can be divided, and down, which reads it and is divided by its estimate. Results are not ignored by Git. */
const files = (execution: string, name: string): Record<string, string> => ({
  '.gitignore': 'node_modules\n.nx\n',
  'libs/half.ts': 'export const half = (x: number): number => x / 2;\n',
  'datasets/outside.csv': '1\n',
  'experiments/up/config.yaml': `
datasource: { number: number }
steps: [publish]
outputs: { model: { file_name: deep/model.json, writer: dump_json, loader: load_json } }
treatments: { ${name}: { factor: 2 } }
replicates: 10
inputs: ["{workspaceRoot}/datasets/outside.csv", { env: FIXTURE_MODEL }]
${execution}
`,
  'experiments/up/datasources.ts':
    'export const number = (ctx: { replicate: number }): number => ctx.replicate;\n',
  'experiments/up/steps.ts': `
import { readFileSync } from 'node:fs';
import { defineStep, withMetrics } from 'nx-experiments';
import { half } from '../../libs/half.ts';
export const publish = defineStep({ factor: 1 }, async (x: number, { factor }, ctx) => {
  const outside = Number(readFileSync('../../datasets/outside.csv', 'utf8'));
  const y = factor * half(x) + ctx.random() + outside;
  if (ctx.replicate === Number(process.env.FIXTURE_FAILS ?? -1)) throw new Error('asked to');
  await ctx.artifact('model').write({ y });
  return withMetrics(x, { y });
});
`,
  'experiments/down/config.yaml': `
datasource: { model: up#model }
steps: [read]
execution: { estimate: 61s }
`,
  'experiments/down/steps.ts': `
import { withMetrics } from 'nx-experiments';
export const read = (data: { model: { y: number } }) => withMetrics(data, { seen: data.model.y });
`,
});

/** As hard to read for a program as a name may be. */
const NAME = 'a--2of--4';
const CONDITIONS = ['baseline', NAME];
const shardsOf = (project: string, condition: string, n: number): string[] =>
  Array.from({ length: n }, (_, i) => `${project}:experiment--${condition}--${i + 1}of${n}`);
const tasksOf = (project: string, n: number): string[] => [
  `${project}:experiment`,
  ...CONDITIONS.flatMap((c) => [`${project}:experiment--${c}`, ...shardsOf(project, c, n)]),
];
const UP = tasksOf('up', 4).sort();
const DOWN = tasksOf('down', 3).sort();
const ALL = [...DOWN, ...UP];
const PLUGIN = { plugin: { shardTime: '4m' } };
const NOTHING: string[] = [];

/** Bytes of the results, without logs and without those of the shards. */
async function resultsOf(ws: Workspace): Promise<Record<string, string>> {
  const all = await ws.contents('experiments');
  return Object.fromEntries(
    Object.entries(all).filter(
      ([path]) => path.includes('/results/') && !isRunRecord(path) && !path.includes('/.shards/'),
    ),
  );
}

let plain: Record<string, string>;
let ws: Workspace;

beforeAll(async () => {
  await using whole = await workspace(files('', NAME));
  const ran = await whole.nx('run-many -t experiment');
  expect(ran.code, ran.output).toBe(0);
  plain = await resultsOf(whole);
  expect(Object.keys(plain)).toHaveLength(2 * 2 + 2 * 10 + 4);
  ws = await workspace(files('execution: { shards: 4 }', NAME), PLUGIN);
});

afterAll(() => ws[Symbol.asyncDispose]());

describe('a graph in shards', () => {
  test('has the results of one that is not divided, in one batch', async () => {
    const { code, ran, output } = await ws.nx('run down:experiment');
    expect({ code, ran }, output).toEqual({ code: 0, ran: ALL.filter((task) => task !== 'up:experiment') });
    expect(await resultsOf(ws)).toEqual(
      Object.fromEntries(Object.entries(plain).filter(([path]) => !path.startsWith('up/results/report/'))),
    );
    expect(output).toMatch(/^up\/baseline shard 2 of 4: 3 replicates, 3 to run \(not run before\)$/m);
    expect(output).toMatch(/^down\/baseline: 10 replicates put together from 3 shards in \d+ ms$/m);
    const all = await ws.nx('run-many -t experiment');
    expect({ code: all.code, ran: all.ran }, all.output).toEqual({ code: 0, ran: ['up:experiment'] });
    expect(await resultsOf(ws)).toEqual(plain);
  });

  test('is replayed from the cache, shards and all, though results are not ignored by Git', async () => {
    expect((await ws.nx('run-many -t experiment')).ran).toEqual(NOTHING);
    for (const project of ['up', 'down']) await ws.remove(`experiments/${project}/results`);
    const { ran, cached } = await ws.nx('run-many -t experiment');
    expect({ ran, cached }).toEqual({ ran: NOTHING, cached: ALL });
    expect(await resultsOf(ws)).toEqual(plain);
    expect(ws.has(`experiments/up/results/.shards/${NAME}/4of4/metrics.json`)).toBe(true);
  });

  test('has them in a process for each task, too', async () => {
    for (const project of ['up', 'down']) await ws.remove(`experiments/${project}/results`);
    const { code, ran, output } = await ws.nx('run-many -t experiment --batch=false --skip-nx-cache', {
      NX_EXPERIMENTS_STORE: 'off',
    });
    expect({ code, ran }, output).toEqual({ code: 0, ran: ALL });
    expect(await resultsOf(ws)).toEqual(plain);
  });

  test('passes --replicates and --seed on: of one replicate, three shards have none', async () => {
    const quick = await ws.nx('run up:experiment--baseline --replicates=1 --seed=3');
    expect({ code: quick.code, ran: quick.ran }, quick.output).toMatchObject({ code: 0, ran: { length: 5 } });
    const manifest = JSON.parse(await ws.read('experiments/up/results/baseline/metrics.json'));
    expect(manifest.replicates).toMatchObject([{ replicate: 0, seed: 3 }]);
    expect(manifest.replicates).toHaveLength(1);
    const full = await ws.nx('run-many -t experiment');
    expect({ code: full.code, ran: full.ran }, full.output).toEqual({ code: 0, ran: NOTHING });
    expect(await resultsOf(ws)).toEqual(plain);
  });
});

test.each([1, 2, 3, 7, 10, 13])('%i shards have the same results', async (n) => {
  await using other = await workspace(files(`execution: { shards: ${n} }`, NAME));
  const { code, ran, output } = await other.nx('run-many -t experiment');
  expect({ code, ran: ran.length }, output).toEqual({ code: 0, ran: 3 + 3 + (n === 1 ? 0 : 2 * n) });
  expect(await resultsOf(other)).toEqual(plain);
});

describe('a shard that fails', () => {
  test('fails its task, and what waits for it is skipped; the next run does the rest', async () => {
    await using other = await workspace(files('execution: { shards: 4 }', NAME), PLUGIN);
    for (const option of ['--batch', '--batch=false']) {
      const failed = await other.nx(`run down:experiment--baseline ${option}`, { FIXTURE_FAILS: '8' });
      expect(failed.code).toBe(1);
      expect(failed.output).toContain('up/baseline shard 4 of 4: 1 of 3 replicates failed');
      expect(failed.output).toContain('step publish threw Error: asked to');
      expect(other.has('experiments/up/results/baseline')).toBe(false);
      expect(other.has('experiments/down/results')).toBe(false);
    }
    const { code, ran, output } = await other.nx('run down:experiment--baseline');
    expect({ code, ran }, output).toEqual({
      code: 0,
      ran: [
        'down:experiment--baseline',
        ...shardsOf('down', 'baseline', 3),
        'up:experiment--baseline',
        'up:experiment--baseline--4of4',
      ],
    });
    expect(output).toContain(
      'up/baseline shard 4 of 4: 3 replicates, 2 reused, 1 to run (replicate 8 not finished before)',
    );
  });
});

describe('what cannot be asked for is refused:', () => {
  const none = 'execution.shards of experiments/up/config.yaml says how many there are.';
  const shard = 'every shard is a target of its own, such as up:experiment--baseline--1of4.';
  test.each([
    ['up:experiment--baseline --shards=2', 'up:experiment--baseline--1of4', '--shards=2', none],
    ['up:experiment--baseline--2of4 --shard=1of4', 'up:experiment--baseline--2of4', '--shard=1of4', shard],
    ['up:experiment--baseline--2of4 --shard=x', 'up:experiment--baseline--2of4', '--shard=x', shard],
  ])('%s', async (args, task, option, why) => {
    const { code, stdout } = await ws.nx(`run ${args}`);
    expect(code).toBe(1);
    expect(block(stdout, `${task} ${option}`)).toBe(`"${option}" cannot be given to ${task}: ${why}`);
  });

  test('a target that is not there', async () => {
    expect((await ws.nx('run up:experiment--baseline--1of5')).code).toBe(1);
  });
});

test('after a change that reaches one condition, shards are replayed by what they read', async () => {
  await ws.edit('experiments/up/config.yaml', 'factor: 2', 'factor: 5');
  const up = await ws.nx('run up:experiment --batch=false');
  // config.yaml is an input of every shard; the baseline's come to the same, so that nothing is put together anew.
  const upstream = UP.filter((task) => task !== 'up:experiment--baseline');
  expect({ code: up.code, ran: up.ran }, up.output).toEqual({ code: 0, ran: upstream });
  const down = await ws.nx('run down:experiment');
  const reading = DOWN.filter((task) => !task.startsWith('down:experiment--baseline'));
  expect({ code: down.code, ran: down.ran }, down.output).toEqual({ code: 0, ran: reading });
  await ws.edit('experiments/up/config.yaml', 'factor: 5', 'factor: 2');
  expect((await ws.nx('run-many -t experiment')).ran).toEqual(NOTHING);
});

/** Keeps every task from running that is not in the cache: fast, and leaves the cache as it is. */
const DRY = { NX_EXPERIMENTS_STORE_SIZE: 'unreadable' };

describe('a change misses the cache in exactly the tasks that it can reach', () => {
  interface Row {
    readonly change?: readonly [file: string, from: string, to: string];
    readonly env?: Record<string, string>;
    readonly misses: readonly string[];
  }
  const ROWS: Record<string, Row> = {
    'a step file': { change: ['experiments/up/steps.ts', '+ outside', '+ 2 * outside'], misses: ALL },
    'shared code': { change: ['libs/half.ts', 'x / 2', 'x / 4'], misses: ALL },
    'a declared file': { change: ['datasets/outside.csv', '1', '2'], misses: ALL },
    'a declared environment variable': { env: { FIXTURE_MODEL: 'large' }, misses: ALL },
    'an environment variable that is not declared': { env: { FIXTURE_OTHER: 'large' }, misses: NOTHING },
    'a value in config.yaml': {
      change: ['experiments/up/config.yaml', 'factor: 2', 'factor: 3'],
      misses: ALL,
    },
    'code downstream': { change: ['experiments/down/steps.ts', 'seen:', 'saw:'], misses: DOWN },
    'the log of a shard': {
      change: ['experiments/up/results/.shards/baseline/1of4/run.jsonl', '"type"', '"typo"'],
      misses: NOTHING,
    },
    'an estimate': { change: ['experiments/down/config.yaml', '61s', '62s'], misses: DOWN },
  };

  test.each([
    ['experiments/up/steps.ts', '+ outside', '- outside', ALL],
    ['experiments/down/steps.ts', 'seen:', 'saw:', DOWN],
    ['libs/half.ts', 'x / 2', 'x / 4', ALL],
  ])('nx affected selects what a change of %s reaches', async (file, from, to, misses) => {
    const old = await ws.read(file);
    await ws.edit(file, from, to);
    const result = await ws.nx(`affected -t experiment --files=${file}`, DRY);
    await ws.write(file, old);
    expect(missed(result), result.output).toEqual(misses);
  });

  test.each(Object.keys(ROWS))('%s', async (name) => {
    const { change, env, misses } = ROWS[name] as Row;
    expect((await ws.nx('run-many -t experiment')).ran).toEqual(NOTHING);
    const old = change && (await ws.read(change[0]));
    if (change) await ws.edit(...(change as [string, string, string]));
    const result = await ws.nx('run-many -t experiment', { ...DRY, ...env });
    if (change && old !== undefined) await ws.write(change[0], old);
    expect(missed(result), result.output).toEqual(misses);
  });
});
