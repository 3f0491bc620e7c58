import { isBuiltInTest, isUnpaired, leastReplicates } from '../statistics/built-in.ts';
import type { TestSettings } from '../statistics/outcome.ts';
import { count } from './numbers.ts';

/**
 * Why a test of ours could find nothing, whatever the values are; undefined when there are enough of them.
 *
 * @param n pairs, or values of both conditions together
 */
export function tooFew(verifier: string, n: number, settings: TestSettings): string | undefined {
  if (!isBuiltInTest(verifier) || !(n > 0)) return undefined;
  const replicates = leastReplicates(verifier, settings);
  const unpaired = isUnpaired(verifier);
  const least = unpaired ? 2 * replicates : replicates;
  if (n >= least || replicates === 2) return undefined;
  // Where values tie, the p-value is an approximation, which may be smaller than any that is exact.
  const [values, however] = unpaired
    ? [count(n, 'value'), 'unless some tie']
    : [count(n, 'pair'), 'whatever they are'];
  return `with ${values} ${verifier} finds nothing at ${settings.alpha}, ${however}: it takes ${least}`;
}
