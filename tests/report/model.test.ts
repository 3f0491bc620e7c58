import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../plugin/base/json.ts';
import { compareConditions, type MetricRow, type Verdict } from '../../plugin/report/model.ts';
import { readRow } from '../../plugin/report/reading.ts';
import type { ConditionManifest } from '../../plugin/runtime/manifest.ts';
import { manifestOf } from '../support/manifests.ts';

/** A verdict of a verifier of the user's, without p-values to correct. */
const UNJUDGED = { builtIn: false, better: undefined, corrected: undefined, gate: undefined } as const;

const LAB = { name: 'lab', description: undefined };

function rowOf(manifests: readonly ConditionManifest[], condition: string): MetricRow | undefined {
  return compareConditions(LAB, manifests, []).metrics.find((row) => row.condition === condition);
}

describe('the difference from the baseline', () => {
  const baseline = manifestOf('baseline', { loss: [1, 2, 3] });

  test('is taken pair by pair', () => {
    const row = rowOf([baseline, manifestOf('high', { loss: [2, 4, 6] })], 'high');
    expect(row).toMatchObject({
      comparison: {
        difference: 2,
        pairs: 3,
        interval: { low: expect.closeTo(-0.4841, 3), high: expect.closeTo(4.4841, 3) },
        effect: 2,
      },
    });
  });

  test('leaves out the replicates that only one of the two has', () => {
    const row = rowOf([baseline, manifestOf('high', { loss: [undefined, 4, 6, 100] })], 'high');
    expect(row).toMatchObject({ comparison: { difference: 2.5, pairs: 2 }, description: { n: 3 } });
  });

  test('leaves out not-a-number', () => {
    const row = rowOf([baseline, manifestOf('high', { loss: [Number.NaN, 4, 6] })], 'high');
    expect(row).toMatchObject({
      comparison: { difference: 2.5, pairs: 2 },
      description: { n: 2, missing: 1 },
    });
  });

  test('is no number when there is no pair', () => {
    const row = rowOf([baseline, manifestOf('high', { loss: [undefined, undefined, undefined, 1] })], 'high');
    expect(row).toMatchObject({ comparison: { difference: Number.NaN, pairs: 0 } });
  });

  test('of the baseline itself is none', () => {
    expect(rowOf([baseline], 'baseline')).toMatchObject({ comparison: undefined });
  });
});

test('a metric recorded several times counts with its mean', () => {
  const manifest: ConditionManifest = {
    ...manifestOf('baseline', {}),
    replicates: [{ replicate: 0, seed: 0, metrics: { loss: [1, 2, 6] }, artifacts: {} }],
  };
  expect(rowOf([manifest], 'baseline')?.description).toMatchObject({ n: 1, mean: 3 });
});

test('metrics are in code unit order, and only where they were recorded', () => {
  const manifests = [manifestOf('baseline', { b: [1], B: [1] }), manifestOf('high', { a: [1] })];
  expect(
    compareConditions(LAB, manifests, []).metrics.map((row) => `${row.metric} ${row.condition}`),
  ).toEqual(['B baseline', 'a high', 'b baseline']);
});

test('failed replicates are counted by condition', () => {
  const { conditions } = compareConditions(LAB, [manifestOf('baseline', { loss: [1, undefined] })], []);
  expect(conditions).toMatchObject([
    { condition: 'baseline', finished: 1, failed: [{ replicate: 1 }], seeds: [0, 31337] },
  ]);
});

test('of each hypothesis, the smallest p-value comes first, and what has none last', () => {
  const verdict = (hypothesis: string, condition: string, p: number | undefined): Verdict => ({
    ...UNJUDGED,
    hypothesis,
    verifier: 't',
    condition,
    metrics: ['loss'],
    result: p === undefined ? { ok: false, message: 'no' } : { ok: true, values: { p_value: p } },
  });
  const verdicts = [
    verdict('one', 'a', undefined),
    verdict('one', 'b', 0.5),
    verdict('two', 'a', 0.2),
    verdict('one', 'c', 0.01),
    verdict('two', 'b', 0.1),
  ];
  const ranked = compareConditions(LAB, [], verdicts).verdicts;
  expect(ranked.map((v) => `${v.hypothesis} ${v.condition}`)).toEqual([
    'one c',
    'one b',
    'one a',
    'two b',
    'two a',
  ]);
});

describe('what a row is read as', () => {
  const wave = (shift: number): number[] => [1, 2, 3, 4, 5].map((v) => v + shift + Math.sin(v) / 10);
  const base = manifestOf('baseline', { loss: wave(0), other: wave(0) });
  const read = (loss: readonly number[], verdicts: readonly Verdict[] = []): string | undefined => {
    const manifests = [base, manifestOf('high', { loss, other: [5, 4, 3, 2, 1] })];
    const model = compareConditions(LAB, manifests, verdicts);
    const row = model.metrics.find(({ metric, condition }) => metric === 'loss' && condition === 'high');
    if (row === undefined) throw new Error('no row');
    return readRow(model, row)?.word;
  };
  const verdict = (values: JsonObject, more: Partial<Verdict> = {}): Verdict => ({
    ...UNJUDGED,
    hypothesis: 'h',
    verifier: 'paired_t_test',
    builtIn: true,
    condition: 'high',
    metrics: ['loss'],
    result: { ok: true, values },
    ...more,
  });

  test.each([
    ['higher', [2, 3.1, 4, 5.1, 6], []],
    ['lower', [0, 1.1, 2, 3.1, 4], []],
    ['unclear', [0, 3, 2, 5, 4], []],
    ['same', wave(0), []],
    ['unclear', wave(2), [verdict({ significant: false, difference: 2 })]],
    ['higher', wave(2), [verdict({ significant: true, difference: 2 })]],
    ['worse', wave(2), [verdict({ significant: true, difference: 2 }, { better: 'lower' })]],
    ['better', wave(2), [verdict({ significant: true, difference: 2 }, { better: 'higher' })]],
    ['equivalent', wave(2), [verdict({ significant: true, difference: 2 }, { verifier: 'equivalence' })]],
    ['lower', wave(-2), [verdict({ significant: true }, { builtIn: false, verifier: 'own' })]],
    ['higher', wave(2), [verdict({ p_value: 0.5 }, { builtIn: false, verifier: 'own' })]],
    ['higher', wave(2), [verdict({ significant: false }, { condition: 'another' })]],
    ['higher', wave(2), [verdict({ significant: false }, { metrics: ['other'] })]],
    ['higher', wave(2), [verdict({ significant: false }, { metrics: ['loss', 'other'] })]],
  ] as const)('%s', (word, loss, verdicts) => {
    expect(read(loss, verdicts)).toBe(word);
  });

  test('is nothing with a single replicate', () => {
    const model = compareConditions(
      LAB,
      [manifestOf('baseline', { loss: [1] }), manifestOf('high', { loss: [2] })],
      [],
    );
    expect(model.metrics.map((row) => readRow(model, row))).toEqual([undefined, undefined]);
  });

  test('is corrected for the number of rows', () => {
    const noisy = [1.1, 2.4, 3.2, 4.5, 5.3].map((v) => v + 0.1);
    const alone = compareConditions(
      LAB,
      [manifestOf('baseline', { loss: wave(0) }), manifestOf('high', { loss: noisy })],
      [],
    );
    const p = alone.metrics[1]?.comparison?.p ?? Number.NaN;
    expect(alone.metrics[1]?.comparison?.adjusted).toBe(p);
    const many = compareConditions(
      LAB,
      ['baseline', 'a', 'b', 'c'].map((c) => manifestOf(c, { loss: c === 'baseline' ? wave(0) : noisy })),
      [],
    );
    expect(many.metrics[1]?.comparison?.adjusted).toBeCloseTo(3 * p, 12);
  });
});
