import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { experiment } from '../support/engine.ts';
import { COUNTING, CountingLab } from './counting-lab.ts';

const lab = (outputs: Record<string, unknown> = {}): CountingLab =>
  new CountingLab(
    experiment(
      'a',
      `${COUNTING}
       export const step = async (data: number, ctx: any) => {
         executed(ctx);
         if ('out' in ctx.params) await ctx.artifact('out').write(String(data));
         ctx.metrics.add('x', data);
         return data;
       };`,
      { replicates: 6, outputs, ...(Object.keys(outputs).length > 0 ? { params: { out: 1 } } : {}) },
    ),
  );

const WITH_OUTPUT = { out: { file_name: 'out.txt', writer: 'dump_text' } };
const BASELINE = { experiment: 'a', condition: 'baseline' };

test.each([{}, WITH_OUTPUT])(
  'a replicate runs once, however its condition is divided (outputs: %j)',
  async (outputs) => {
    using counting = lab(outputs);
    expect((await counting.count({ shards: 4 })).replicates).toEqual({ 'a/baseline': [0, 1, 2, 3, 4, 5] });
    const expected = counting.read('a/results/baseline/metrics.json');
    for (const settings of [{ shards: 4 }, { shards: 3 }, {}, { shards: 1 }, { shards: 9 }, {}]) {
      const { counts, ran } = await counting.count(settings);
      expect(counts).toEqual({});
      expect(ran.outcomes.every(({ status }) => status === 'succeeded')).toBe(true);
      expect(counting.read('a/results/baseline/metrics.json')).toBe(expected);
    }
  },
);

test('a change of replicates or of one value runs what it must, in shards too', async () => {
  using counting = lab();
  await counting.count({ shards: 2 });
  expect((await counting.count({ shards: 2, replicates: 8 })).replicates).toEqual({ 'a/baseline': [6, 7] });
  expect((await counting.count({ shards: 2, replicates: 1 })).counts).toEqual({});
  expect(counting.manifest('a/baseline').replicates).toHaveLength(1);
  expect((await counting.count({ shards: 2, seed: 3 })).counts).toEqual({ 'a/baseline': 6 });
  const { counts, ran } = await counting.count({ shards: 2, seed: 3, strategy: 'rerun' });
  expect(counts).toEqual({ 'a/baseline': 6 });
  expect(ran.events.flatMap((event) => (event.type === 'condition-started' ? event.reasons : []))).toEqual([
    'asked to',
    'asked to',
  ]);
});

test('a shard says why it runs, also when it was divided otherwise before', async () => {
  using counting = lab();
  const reasons = async (settings: object): Promise<(readonly string[])[]> =>
    (await counting.count(settings)).ran.events.flatMap((event) =>
      event.type === 'condition-started' ? [event.reasons] : [],
    );
  expect(await reasons({ shards: 2 })).toEqual([['not run before'], ['not run before']]);
  counting.replace('a/config.yaml', '"replicates"', '"params":{"y":1},"replicates"');
  expect(await reasons({ shards: 3 })).toEqual([['y (none) -> 1'], ['y (none) -> 1'], ['y (none) -> 1']]);
  counting.replace('a/config.yaml', '"y":1', '"y":2');
  expect(await reasons({})).toEqual([['y 1 -> 2']]);
});

test('what lies in place is never taken for what another division or another run has put there', async () => {
  using counting = lab();
  const values = (): unknown => counting.manifest('a/baseline').replicates.map(({ metrics }) => metrics.x);
  await counting.count();
  const plain = values();
  // One more run in shards, with other code, and the plain run of the old code after it.
  counting.replace('a/steps.ts', "add('x', data)", "add('x', 100 + data)");
  expect((await counting.count({ shards: 2 })).counts).toEqual({ 'a/baseline': 6 });
  const changed = values();
  expect(changed).not.toEqual(plain);
  counting.replace('a/steps.ts', "add('x', 100 + data)", "add('x', data)");
  expect((await counting.count()).counts).toEqual({});
  expect(values()).toEqual(plain);
  // A shard's folder that came from somewhere else, as from a cache: its history here is that of another code.
  await counting.count({ shards: 2 });
  counting.replace('a/steps.ts', "add('x', data)", "add('x', 100 + data)");
  for (const k of [1, 2])
    await counting.count({ items: [{ ...BASELINE, shard: { k, n: 2 } }], store: 'elsewhere' });
  await counting.count({ items: [{ ...BASELINE, merges: 2 }] });
  expect(values()).toEqual(changed);
  counting.replace('a/steps.ts', "add('x', 100 + data)", "add('x', data)");
  await counting.count();
  expect(values()).toEqual(plain);
});

test('results of another division are removed, those of a run that still lives are not', async () => {
  using counting = lab();
  const shards = join(counting.root, 'a/results/.shards');
  await counting.count({ shards: 4 });
  const mine = join(shards, `baseline/.1of4.${process.ppid}-0`);
  const dead = join(shards, 'baseline/.1of4.99999999-0');
  mkdirSync(mine);
  mkdirSync(dead);
  await counting.count({ shards: 2 });
  expect(counting.files('a/results/.shards').filter((path) => path.endsWith('metrics.json'))).toEqual([
    'baseline/1of2/metrics.json',
    'baseline/2of2/metrics.json',
  ]);
  expect([mine, dead].map(existsSync)).toEqual([true, false]);
  await counting.count();
  expect(counting.files('a/results/.shards')).toEqual([]);
  expect(existsSync(mine)).toBe(true);
  counting.remove('a/results/.shards/baseline');
  await counting.count({ shards: 2 });
  await counting.count({ strategy: 'rerun' });
  expect(existsSync(shards)).toBe(false);
});

test.each([{ shards: 2 }, { estimate: '30s' }])(
  'a run of the whole leaves the shards of an experiment that Nx divides (%j)',
  async (execution) => {
    using counting = lab();
    await counting.count({ shards: 2 });
    const shards = (): string[] =>
      counting.files('a/results/.shards').filter((path) => path.endsWith('metrics.json'));
    const made = shards();
    expect(made).toHaveLength(2);
    // Each of them is a task whose results Nx may be about to keep, or to put together.
    const config = JSON.parse(counting.read('a/config.yaml'));
    counting.write({ 'a/config.yaml': JSON.stringify({ ...config, execution }) });
    for (const settings of [{}, { strategy: 'rerun' as const }]) {
      await counting.count(settings);
      expect(shards()).toEqual(made);
    }
  },
);
