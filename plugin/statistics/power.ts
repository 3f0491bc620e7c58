import { tQuantile } from './distributions.ts';
import { noncentralTTail } from './noncentral-t.ts';

const POWER = 0.8;
const MOST_REPLICATES = 1_000_000;

/**
 * The smallest true mean difference that a two-sided paired t test of n pairs with this standard deviation would find with
 * power 0.8: by the noncentral t distribution, as in Cohen 1988. That the test finds the other side does not count.
 */
export function minimumDetectableEffect(sd: number, n: number, alpha: number): number {
  if (n < 2 || Number.isNaN(sd)) return Number.NaN;
  return (noncentrality(n, alpha) * sd) / Math.sqrt(n);
}

/** The one that n pairs find with the power asked for. */
function noncentrality(n: number, alpha: number): number {
  const df = n - 1;
  const critical = tQuantile(1 - alpha / 2, df);
  // Too small by a quarter at worst, of two pairs: Newton's steps need few.
  let at = quantileSum(n, alpha);
  for (let step = 0; step < 30; step++) {
    const { probability, slope } = noncentralTTail(critical, df, at);
    const change = (probability - POWER) / slope;
    at -= change;
    if (Math.abs(change) <= 1e-13 * at) break;
  }
  return at;
}

/** The smallest number of pairs whose minimum detectable effect is at most this difference; undefined beyond a million. */
export function replicatesNeeded(difference: number, sd: number, alpha: number): number | undefined {
  const size = Math.abs(difference) / sd;
  if (!(sd >= 0) || !(Math.abs(difference) > 0) || !Number.isFinite(difference)) return undefined;
  if (size === Number.POSITIVE_INFINITY) return 2;
  // The sum of two quantiles of t is a good guess and cheap; it is nearly right where the exact power is dear.
  const guess = (n: number): boolean => quantileSum(n, alpha) <= size * Math.sqrt(n);
  const enough = (n: number): boolean =>
    noncentralTTail(tQuantile(1 - alpha / 2, n - 1), n - 1, size * Math.sqrt(n)).probability >= POWER;
  let n = smallest(guess);
  if (n === undefined) return undefined;
  while (n > 2 && enough(n - 1)) n--;
  while (!enough(n)) n++;
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

function quantileSum(n: number, alpha: number): number {
  return tQuantile(1 - alpha / 2, n - 1) + tQuantile(POWER, n - 1);
}
