import { describe, expect, test } from 'vitest';
import { compareConditions, type MetricRow, type Verdict } from '../../plugin/report/model.ts';
import type { ConditionManifest } from '../../plugin/runtime/manifest.ts';
import { manifestOf } from '../support/manifests.ts';

/** A verdict of a verifier of the user's, without p-values to correct. */
const UNJUDGED = { builtIn: false, corrected: undefined, gate: undefined } as const;

const LAB = { name: 'lab', description: undefined };

function rowOf(manifests: readonly ConditionManifest[], condition: string): MetricRow | undefined {
  return compareConditions(LAB, manifests, []).metrics.find((row) => row.condition === condition);
}

describe('the difference from the baseline', () => {
  const baseline = manifestOf('baseline', { loss: [1, 2, 3] });

  test('is taken pair by pair', () => {
    const row = rowOf([baseline, manifestOf('high', { loss: [2, 4, 6] })], 'high');
    expect(row).toMatchObject({ difference: 2, pairs: 3 });
  });

  test('leaves out the replicates that only one of the two has', () => {
    const row = rowOf([baseline, manifestOf('high', { loss: [undefined, 4, 6, 100] })], 'high');
    expect(row).toMatchObject({ difference: 2.5, pairs: 2, description: { n: 3 } });
  });

  test('leaves out not-a-number', () => {
    const row = rowOf([baseline, manifestOf('high', { loss: [Number.NaN, 4, 6] })], 'high');
    expect(row).toMatchObject({ difference: 2.5, pairs: 2, description: { n: 2, missing: 1 } });
  });

  test('is no number when there is no pair', () => {
    const row = rowOf([baseline, manifestOf('high', { loss: [undefined, undefined, undefined, 1] })], 'high');
    expect(row).toMatchObject({ difference: Number.NaN, pairs: 0 });
  });

  test('of the baseline itself is none', () => {
    expect(rowOf([baseline], 'baseline')).toMatchObject({ difference: undefined, pairs: 0 });
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
  expect(conditions).toEqual([{ condition: 'baseline', finished: 1, failed: 1 }]);
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
