import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_SHARDS } from '../../plugin/base/names.ts';
import { blockOf, parseShard, shardCount, shardName, shardsOf } from '../../plugin/runtime/shards.ts';
import { experiment, Lab } from '../support/engine.ts';

describe('the blocks of the shards', () => {
  test('are all replicates in order, each once, and of sizes that differ by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 200 }), (n, replicates) => {
        const blocks = shardsOf(n).map((shard) => blockOf(shard, replicates));
        expect(blocks.flat()).toEqual(Array.from({ length: replicates }, (_, i) => i));
        const sizes = blocks.map((block) => block.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('are exact for counts near the largest', () => {
    const blocks = shardsOf(7).map((shard) => blockOf(shard, 1_000_003));
    expect(blocks.flat().every((replicate, i) => replicate === i)).toBe(true);
  });
});

describe('names of shards', () => {
  test('are read back', () => {
    for (const n of [1, 2, 9, 10, MAX_SHARDS])
      for (const shard of shardsOf(n)) expect(parseShard(shardName(shard))).toEqual(shard);
  });
  test.each([
    '',
    '2',
    'of4',
    '2of',
    '0of4',
    '5of4',
    '02of4',
    '2of04',
    '2of4x',
    'x2of4',
    '2 of 4',
    '1of1001',
    '-1of4',
    '1of99999',
  ])('%j is none', (text) => {
    expect(parseShard(text)).toBeUndefined();
  });
});

describe('how many shards there are', () => {
  const count = (
    replicates: number,
    execution: { shards?: number; estimateMs?: number },
    shardTimeMs?: number,
  ): number | undefined =>
    shardCount(replicates, { shards: undefined, estimateMs: undefined, ...execution }, shardTimeMs);

  test.each<[number, { shards?: number; estimateMs?: number }, number | undefined, number | undefined]>([
    [12, {}, undefined, undefined],
    [12, {}, 600_000, undefined],
    [12, { shards: 1 }, undefined, undefined],
    [12, { shards: 4 }, undefined, 4],
    [2, { shards: 4 }, undefined, 4],
    [12, { estimateMs: 30_000 }, undefined, undefined],
    [12, { estimateMs: 30_000 }, 600_000, undefined],
    [20, { estimateMs: 30_000 }, 600_000, undefined],
    [21, { estimateMs: 30_000 }, 600_000, 2],
    [100, { estimateMs: 30_000 }, 600_000, 5],
    [12, { estimateMs: 3_600_000 }, 600_000, 12],
    [100_000, { estimateMs: 3_600_000 }, 600_000, MAX_SHARDS],
    [12, { estimateMs: 0 }, 600_000, undefined],
    [100, { shards: 3, estimateMs: 30_000 }, 600_000, 3],
  ])('%i replicates, %j, %s ms for a shard: %s', (replicates, execution, shardTimeMs, expected) => {
    expect(count(replicates, execution, shardTimeMs)).toBe(expected);
  });
});

/** up -> down; metrics that JSON cannot spell, artifacts of two replicates alike, logs, and replicates that can fail. */
const files = (replicates: number, failing: readonly number[] = []): Record<string, unknown> => ({
  'failing.json': failing,
  ...experiment(
    'up',
    `
    import { readFileSync } from 'node:fs';
    export const step = async (data: number, ctx) => {
      ctx.log('replicate ' + ctx.replicate);
      if (JSON.parse(readFileSync('../failing.json', 'utf8')).includes(ctx.replicate)) throw new Error('no ' + ctx.replicate);
      await ctx.artifact('model').write(Buffer.from([ctx.replicate % 3, 255, 0]));
      await ctx.artifact('note').write('x'.repeat(ctx.replicate % 2));
      ctx.metrics.add('drawn', ctx.random());
      ctx.metrics.add('odd', [Number.NaN, -0, 1 / 3][ctx.replicate % 3]);
      return data;
    };`,
    {
      replicates,
      seed: 5,
      treatments: { other: { x: 1 } },
      outputs: {
        model: { file_name: 'deep/model.bin', writer: 'dump_bytes' },
        note: { file_name: 'note.txt', writer: 'dump_text' },
      },
    },
  ),
  'down/config.yaml': { datasource: { model: 'up#model' }, steps: ['read'] },
  'down/steps.ts': `
    export const read = (data, ctx) => { ctx.metrics.add('first', data.model[0]); return data; };`,
});

const R = 10;

describe('shards give the bytes of one run', () => {
  const whole = async (failing: readonly number[] = []): Promise<Record<string, string>> => {
    using lab = new Lab(files(R, failing));
    await lab.run({ workers: 2 });
    return lab.snapshot();
  };

  test.each([1, 2, 3, 7, R, R + 3])('in %i shards', async (n) => {
    using lab = new Lab(files(R));
    const ran = await lab.run({ shards: n, workers: 2 });
    expect(ran.outcomes.map(({ status }) => status)).toEqual(ran.outcomes.map(() => 'succeeded'));
    expect(withoutShards(lab.snapshot())).toEqual(await whole());
    expect(
      lab.files('up/results/.shards/baseline').filter((path) => path.endsWith('metrics.json')),
    ).toHaveLength(n);
    const logged = lab.log('up/baseline').filter(({ type }) => type === 'log');
    expect(logged.map(({ text }) => text)).toHaveLength(R);
    const runs = lab.log('up/baseline').filter(({ type }) => type === 'condition');
    const ms = runs.slice(0, -1).reduce((sum, run) => sum + Number(run.ms), 0);
    const [startedAt] = runs.map((run) => run.startedAt).sort();
    expect(runs).toHaveLength(n + 1);
    expect(lab.log('up/baseline').at(-1)).toEqual({
      type: 'condition',
      startedAt,
      ms,
      reused: 0,
      shards: n,
    });
  });

  test('for any counts of replicates and shards, with and without the store, and replicates that fail', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 11 }),
        fc.array(fc.nat({ max: 8 }), { maxLength: 3 }),
        fc.boolean(),
        async (replicates, n, failing, store) => {
          using one = new Lab(files(replicates, failing));
          const expected = await one.run({ only: ['up/baseline'] });
          using lab = new Lab(files(replicates, failing));
          const settings = store ? { store: 'store' } : {};
          const shards = shardsOf(n).map((shard) => ({ experiment: 'up', condition: 'baseline', shard }));
          await lab.run({ items: shards, workers: 2, ...settings });
          const ran = await lab.run({
            items: [{ experiment: 'up', condition: 'baseline', merges: n }],
            ...settings,
          });
          expect(withoutShards(lab.snapshot())).toEqual(one.snapshot());
          expect(ran.outcome('up/baseline').status).toBe(expected.outcome('up/baseline').status);
          expect(ran.failures('up/baseline')).toEqual(expected.failures('up/baseline'));
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe('a shard that fails', () => {
  test('keeps its condition, and what reads it, from being put together; the rest is kept', async () => {
    using lab = new Lab(files(R, [7]));
    const first = await lab.run({ shards: 4, only: ['down/baseline'], store: 'store' });
    const statuses = Object.fromEntries(first.outcomes.map(({ planned, status }) => [planned.id, status]));
    expect(statuses).toMatchObject({
      'up/baseline/3of4': 'succeeded',
      'up/baseline/4of4': 'failed',
      'up/baseline': 'skipped',
      'down/baseline/1of4': 'skipped',
      'down/baseline': 'skipped',
    });
    expect(first.outcome('up/baseline').blockedBy).toBe('up/baseline/4of4');
    expect(first.failures('up/baseline/4of4')).toEqual(['7: step step threw Error: no 7']);

    lab.write({ 'failing.json': [] });
    const second = await lab.run({ shards: 4, only: ['down/baseline'], store: 'store' });
    expect(second.outcomes.every(({ status }) => status === 'succeeded')).toBe(true);
    using other = new Lab(files(R));
    await other.run({ only: ['down/baseline'] });
    expect(withoutShards(lab.snapshot())).toEqual(other.snapshot());
  });
});

describe('merging reads nothing that is not of this run', () => {
  const merge = { items: [{ experiment: 'up', condition: 'baseline', merges: 4 }] };
  const remedy = 'Run the shard 2of4 of the condition "baseline" of "up"';
  const cases: Record<string, [spoil: (lab: Lab) => unknown, failure: string]> = {
    'a shard that is missing': [
      (lab) => rmSync(join(lab.root, 'up/results/.shards/baseline/2of4'), { recursive: true }),
      `up/results/.shards/baseline/2of4/metrics.json is missing. ${remedy}.`,
    ],
    'a changed digit': [
      (lab) => {
        const path = 'up/results/.shards/baseline/2of4/metrics.json';
        lab.write({ [path]: lab.read(path).replace('"replicate":2', '"replicate":3') });
      },
      `up/results/.shards/baseline/2of4/metrics.json is not what its run wrote: it was damaged or edited. ${remedy} again, with --skip-nx-cache.`,
    ],
    'an edited artifact': [
      (lab) =>
        writeFileSync(join(lab.root, 'up/results/.shards/baseline/2of4/artifacts/replicate_3/note.txt'), 'y'),
      `up/results/.shards/baseline/2of4/artifacts/replicate_3/note.txt is not what its run wrote: it was damaged or edited. ${remedy} again, with --skip-nx-cache.`,
    ],
    'an artifact that is missing': [
      (lab) => rmSync(join(lab.root, 'up/results/.shards/baseline/2of4/artifacts/replicate_3/note.txt')),
      `up/results/.shards/baseline/2of4/artifacts/replicate_3/note.txt is missing. ${remedy}.`,
    ],
    'a run with other replicates': [
      (lab) =>
        lab.run({
          items: [{ experiment: 'up', condition: 'baseline', shard: { k: 2, n: 4 } }],
          replicates: 6,
        }),
      `up/results/.shards/baseline/2of4/metrics.json is of another run, with other replicates, seeds or outputs. ${remedy} again.`,
    ],
    'a run with other code': [
      async (lab) => {
        lab.write({ 'up/steps.ts': `${lab.read('up/steps.ts')}// Edited.\n` });
        await lab.run({ items: [{ experiment: 'up', condition: 'baseline', shard: { k: 2, n: 4 } }] });
      },
      'the shards 1of4 and 2of4 of up/baseline were not run with the same code, packages, interpreter, parameters, inputs and upstream artifacts. Run the condition "baseline" of "up" again, with --skip-nx-cache.',
    ],
    'a run with another seed': [
      (lab) =>
        lab.run({ items: [{ experiment: 'up', condition: 'baseline', shard: { k: 2, n: 4 } }], seed: 6 }),
      `up/results/.shards/baseline/2of4/metrics.json is of another run, with other replicates, seeds or outputs. ${remedy} again.`,
    ],
  };

  test.each(Object.keys(cases))('%s', async (name) => {
    const [spoil, failure] = cases[name] as (typeof cases)[string];
    using lab = new Lab(files(R));
    await lab.run({ shards: 4, only: ['up/baseline'] });
    const before = lab.snapshot();
    await spoil(lab);
    const ran = await lab.run(merge);
    expect(ran.failures('up/baseline')).toEqual([`*: ${failure}`]);
    // What was there before stays.
    expect(withoutShards(lab.snapshot())).toEqual(withoutShards(before));
  });

  test.each([undefined, 'store'])(
    'shards that have read other artifacts, with the store %s',
    async (store) => {
      using lab = new Lab(files(R));
      const run = (items: object[]) =>
        lab.run({ items: items as never, ...(store === undefined ? {} : { store }) });
      const down = { experiment: 'down', condition: 'baseline' };
      await run([{ experiment: 'up', condition: 'baseline' }]);
      await run([{ ...down, shard: { k: 1, n: 2 } }]);
      lab.write({
        'up/steps.ts': lab.read('up/steps.ts').replace('replicate % 3, 255', 'replicate % 3, 254'),
      });
      await run([{ experiment: 'up', condition: 'baseline' }]);
      await run([{ ...down, shard: { k: 2, n: 2 } }]);
      const { outcomes } = await run([{ ...down, merges: 2 }]);
      expect(outcomes[0]?.failures[0]?.failure).toMatchObject({
        reason: 'shards-differ',
        shards: ['1of2', '2of2'],
      });
      await run([{ ...down, shard: { k: 1, n: 2 } }]);
      const again = await run([{ ...down, merges: 2 }]);
      expect(again.outcomes[0]?.status).toBe('succeeded');
    },
  );

  test('but a damaged artifact that the store has is replaced, and that is told', async () => {
    using lab = new Lab(files(R));
    await lab.run({ shards: 4, only: ['up/baseline'], store: 'store' });
    const before = withoutShards(lab.snapshot());
    const path = 'up/results/.shards/baseline/2of4/artifacts/replicate_3/note.txt';
    writeFileSync(join(lab.root, path), 'y');
    const ran = await lab.run({ ...merge, store: 'store' });
    expect(ran.outcome('up/baseline').status).toBe('succeeded');
    expect(ran.events).toContainEqual(
      expect.objectContaining({
        type: 'warning',
        text: `${path} was damaged, and is restored from the store`,
      }),
    );
    expect(withoutShards(lab.snapshot())).toEqual(before);
  });
});

function withoutShards(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !path.includes('/.shards/')));
}
