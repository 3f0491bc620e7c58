import { tQuantile } from './distributions.ts';

const POWER = 0.8;
const MOST_REPLICATES = 1_000_000;

/**
 * The smallest true mean difference that a paired t test of n pairs with this standard deviation would find with power 0.8:
 * (t[1-alpha/2] + t[0.8]) sd / sqrt(n), with n - 1 degrees of freedom.
 */
export function minimumDetectableEffect(sd: number, n: number, alpha: number): number {
  if (n < 2) return Number.NaN;
  return ((tQuantile(1 - alpha / 2, n - 1) + tQuantile(POWER, n - 1)) * sd) / Math.sqrt(n);
}

/** The smallest number of pairs whose minimum detectable effect is at most this difference; undefined beyond a million. */
export function replicatesNeeded(difference: number, sd: number, alpha: number): number | undefined {
  const wanted = Math.abs(difference);
  if (!(sd >= 0) || !(wanted > 0) || !Number.isFinite(wanted)) return undefined;
  const enough = (n: number): boolean => minimumDetectableEffect(sd, n, alpha) <= wanted;
  if (!enough(MOST_REPLICATES)) return undefined;
  let [low, high] = [2, MOST_REPLICATES];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
