import { normalCdf, tCdf, tTail } from './distributions.ts';

export type Alternative = 'two-sided' | 'greater' | 'less';

/** What a test is asked for. `greater`: the treatment's values are larger. */
export interface TestSettings {
  readonly alpha: number;
  readonly alternative: Alternative;
}

export interface Interval {
  /** Minus infinity for an interval that is open below. */
  readonly low: number;
  readonly high: number;
}

/** What a test says of a treatment against the baseline. NaN where the samples do not suffice. */
export interface TestOutcome {
  readonly statistic: number;
  /** Degrees of freedom, of the tests that have them. */
  readonly df?: number;
  readonly p: number;
  /** Treatment minus baseline: of means, or the Hodges-Lehmann estimate of the tests by rank. */
  readonly difference: number;
  /** Of the difference, with confidence 1 - alpha. */
  readonly interval: Interval;
  readonly effect: {
    readonly name: 'd_z' | 'hedges_g' | 'rank_biserial' | 'cliffs_delta';
    readonly size: number;
  };
  /** Pairs, or values in both samples together. */
  readonly n: number;
}

/**
 * The smallest p-value that so many pairs can have without an assumption: where nothing differs, a difference is as often above zero as
 * below, and this is how often all of them lie on one side.
 */
export function leastP(pairs: number, alternative: Alternative): number {
  return 2 ** -(alternative === 'two-sided' ? pairs - 1 : pairs);
}

/** The smallest p-value that two samples without ties can have by ranks: how often all of one lie above all of the other. */
export function leastRankP(m: number, n: number, alternative: Alternative): number {
  let orders = 1;
  for (let i = 1; i <= Math.min(m, n); i++) orders *= (m + n - i + 1) / i;
  return Math.min(1, (alternative === 'two-sided' ? 2 : 1) / orders);
}

export function tP(t: number, df: number, alternative: Alternative): number {
  if (Number.isNaN(t) || !(df > 0)) return Number.NaN;
  if (alternative === 'two-sided') return Math.min(1, 2 * tTail(Math.abs(t), df));
  return tCdf(alternative === 'greater' ? -t : t, df);
}

export function normalP(z: number, alternative: Alternative): number {
  if (alternative === 'two-sided') return Math.min(1, 2 * normalCdf(-Math.abs(z)));
  return normalCdf(alternative === 'greater' ? -z : z);
}

/** Two-sided, or open on the side on which the alternative asks for nothing. */
export function intervalAround(
  center: number,
  standardError: number,
  quantile: (p: number) => number,
  { alpha, alternative }: TestSettings,
): Interval {
  const distance = reach(quantile(alternative === 'two-sided' ? 1 - alpha / 2 : 1 - alpha), standardError);
  // An interval of which one end is unknown says nothing with the other.
  if (Number.isNaN(center - distance)) return { low: Number.NaN, high: Number.NaN };
  return openOn(alternative, center - distance, center + distance);
}

/** A one-sided interval has one end. */
export function openOn(alternative: Alternative, low: number, high: number): Interval {
  return {
    low: alternative === 'less' ? Number.NEGATIVE_INFINITY : low,
    high: alternative === 'greater' ? Number.POSITIVE_INFINITY : high,
  };
}

/** Nothing varies: the interval is a point. */
function reach(quantile: number, standardError: number): number {
  return standardError === 0 ? 0 : quantile * standardError;
}

/** Quotient of a difference and its standard error; infinite where nothing varies, NaN where nothing differs either. */
export function studentize(difference: number, standardError: number): number {
  return difference / standardError;
}
