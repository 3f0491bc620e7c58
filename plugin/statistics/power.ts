import { tQuantile } from './distributions.ts';
import { noncentralTTail } from './noncentral-t.ts';
import type { Precision } from './t-tests.ts';

const POWER = 0.8;
const MOST_REPLICATES = 1_000_000;

/**
 * The smallest true difference that a two-sided t test of this precision would find with power 0.8: by the noncentral t
 * distribution, as in Cohen 1988. That the test finds the other side does not count. NaN where nothing is known of the spread.
 */
export function minimumDetectableEffect({ error, df }: Precision, alpha: number): number {
  if (!(df > 0) || Number.isNaN(error)) return Number.NaN;
  return noncentrality(df, alpha) * error;
}

/** The one that is found with the power asked for. */
function noncentrality(df: number, alpha: number): number {
  const critical = tQuantile(1 - alpha / 2, df);
  // Too small by a quarter at worst, of two pairs: Newton's steps need few.
  let at = quantileSum(df, alpha);
  for (let step = 0; step < 30; step++) {
    const { probability, slope } = noncentralTTail(critical, df, at);
    const change = (probability - POWER) / slope;
    at -= change;
    if (Math.abs(change) <= 1e-13 * at) break;
  }
  return at;
}

/**
 * The smallest number of replicates whose minimum detectable effect is at most this difference; undefined beyond a million.
 *
 * @param precision by the number of replicates
 */
export function replicatesNeeded(
  difference: number,
  precision: (replicates: number) => Precision,
  alpha: number,
): number | undefined {
  if (!(precision(2).error >= 0) || !(Math.abs(difference) > 0) || !Number.isFinite(difference))
    return undefined;
  const noncentralityOf = (n: number): number => Math.abs(difference) / precision(n).error;
  if (noncentralityOf(2) === Number.POSITIVE_INFINITY) return 2;
  // The sum of two quantiles of t is a good guess and cheap; it is nearly right where the exact power is dear.
  const guess = (n: number): boolean => quantileSum(precision(n).df, alpha) <= noncentralityOf(n);
  const enough = (n: number): boolean => {
    const { df } = precision(n);
    return noncentralTTail(tQuantile(1 - alpha / 2, df), df, noncentralityOf(n)).probability >= POWER;
  };
  let n = smallest(guess);
  if (n === undefined) return undefined;
  while (n > 2 && enough(n - 1)) n--;
  while (n < MOST_REPLICATES && !enough(n)) n++;
  return n;
}

/** What must hold from some number of pairs on. */
function smallest(enough: (n: number) => boolean): number | undefined {
  if (!enough(MOST_REPLICATES)) return undefined;
  let [low, high] = [2, MOST_REPLICATES];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function quantileSum(df: number, alpha: number): number {
  return tQuantile(1 - alpha / 2, df) + tQuantile(POWER, df);
}
