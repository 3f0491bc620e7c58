import { type BuiltInTest, isBuiltInTest, isUnpaired, leastReplicates } from '../statistics/built-in.ts';
import type { TestSettings } from '../statistics/outcome.ts';
import { count } from './numbers.ts';

/**
 * Why a test of ours could find nothing, whatever the values are; undefined when there are enough of them.
 *
 * @param n pairs, or values of both conditions together
 */
export function tooFew(verifier: string, n: number, settings: TestSettings): string | undefined {
  const least = leastFor(verifier, n, settings);
  if (least === undefined) return undefined;
  const { values, however, takes } = least;
  return `with ${values} ${verifier} finds nothing at ${settings.alpha}, ${however}: it takes ${takes}`;
}

/** Why a test that found something alone could not have found it beside the others, whatever the values are. */
export function tooFewForCorrection(
  verifier: string,
  n: number,
  settings: TestSettings,
  { p, adjusted, tests }: { readonly p: number; readonly adjusted: number; readonly tests: number },
): string | undefined {
  if (!(p > 0 && p < settings.alpha && adjusted >= settings.alpha)) return undefined;
  const least = leastFor(verifier, n, { ...settings, alpha: (settings.alpha * p) / adjusted });
  if (least === undefined) return undefined;
  const { values, however, takes } = least;
  return `corrected over ${tests} tests, ${values} are too few for ${verifier} to find this, ${however}: it takes ${takes}`;
}

/** In words, where there are fewer values than a test takes. */
function leastFor(verifier: string, n: number, settings: TestSettings) {
  if (!isBuiltInTest(verifier) || !(n > 0)) return undefined;
  const takes = valuesFor(verifier, settings);
  if (takes === undefined || n >= takes) return undefined;
  // Where values tie, the p-value is an approximation, which may be smaller than any that is exact.
  return isUnpaired(verifier)
    ? { values: count(n, 'value'), however: 'unless some tie', takes }
    : { values: count(n, 'pair'), however: 'whatever they are', takes };
}

/** Undefined for a test that takes a shape for granted. */
function valuesFor(test: BuiltInTest, settings: TestSettings): number | undefined {
  const replicates = leastReplicates(test, settings);
  if (replicates === 2) return undefined;
  return isUnpaired(test) ? 2 * replicates : replicates;
}
