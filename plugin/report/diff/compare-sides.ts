import type { Interval, TestOutcome } from '../../statistics/outcome.ts';
import { pairedTTest, welchTTest, welchTTestOf } from '../../statistics/t-tests.ts';
import { ALPHA } from '../model.ts';
import { isSame } from '../samples.ts';
import type { SummaryMetric } from './parse-summary.ts';

/** One metric of one condition after, against before. */
export interface Comparison {
  readonly method: 'paired' | 'welch';
  /** Why this method, in a few words. */
  readonly why: string;
  /** After minus before. */
  readonly difference: number;
  /** Of the difference, with confidence 0.95. */
  readonly interval: Interval;
  readonly effect: TestOutcome['effect'];
  readonly p: number;
  /** Pairs, or values on both sides together. */
  readonly n: number;
  /** Every value that could be compared is what it was. */
  readonly same: boolean;
  /** Every replicate of both sides was compared with its own counterpart. */
  readonly complete: boolean;
}

export type Side = SummaryMetric & { readonly seeds: readonly number[] | undefined };

const SETTINGS = { alpha: ALPHA, alternative: 'two-sided' } as const;

/** Replicate by replicate where the seeds are the same on both sides; otherwise as two samples. */
export function compareSides(before: Side, after: Side): Comparison {
  const { values: then, seeds: seedsThen } = before;
  const { values: now, seeds: seedsNow } = after;
  if (then === undefined || now === undefined || seedsThen === undefined || seedsNow === undefined)
    return unpaired(before, after, 'no values by replicate on one side');
  const shared = now.flatMap((value, i) => {
    const earlier = then[i];
    const isPair = seedsThen[i] !== undefined && seedsThen[i] === seedsNow[i];
    return isPair && value !== undefined && earlier !== undefined ? [{ value, earlier }] : [];
  });
  if (shared.length === 0) return unpaired(before, after, 'no replicate has the same seed on both sides');
  const same = shared.every(({ value, earlier }) => isSame(value, earlier));
  const count = Math.max(recorded(then), recorded(now));
  const { p, ...outcome } = pairedTTest(
    // Infinity minus itself is no number, though nothing changed.
    shared.map(({ value, earlier }) => (value === earlier ? 0 : value - earlier)),
    SETTINGS,
  );
  const of = shared.length === count ? 'all' : `${shared.length} of ${count}`;
  return {
    method: 'paired',
    why: `${of} replicates have the same seed on both sides`,
    difference: outcome.difference,
    interval: outcome.interval,
    effect: outcome.effect,
    p,
    n: outcome.n,
    same,
    complete: shared.length === count,
  };
}

function unpaired(before: Side, after: Side, why: string): Comparison {
  const [then, now] = [before, after].map(({ values }) =>
    values?.filter((value): value is number => value !== undefined),
  );
  const { difference, interval, effect, p, n } =
    then === undefined || now === undefined
      ? welchTTestOf(before, after, SETTINGS)
      : welchTTest(then, now, SETTINGS);
  return { method: 'welch', why, difference, interval, effect, p, n, same: false, complete: false };
}

function recorded(values: readonly (number | undefined)[]): number {
  return values.filter((value) => value !== undefined).length;
}
