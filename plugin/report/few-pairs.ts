import { isBuiltInTest, leastPairs } from '../statistics/built-in.ts';
import type { TestSettings } from '../statistics/outcome.ts';
import { count } from './numbers.ts';

/** Why a test of ours could find nothing, whatever the values are; undefined when there are enough of them. */
export function fewPairs(verifier: string, pairs: number, settings: TestSettings): string | undefined {
  if (!isBuiltInTest(verifier) || !(pairs > 0)) return undefined;
  const least = leastPairs(verifier, settings);
  return pairs >= least || least === 2
    ? undefined
    : `with ${count(pairs, 'pair')} ${verifier} finds nothing at ${settings.alpha}, whatever they are: it takes ${least}`;
}

/** Why a test that found something alone could not have found it beside the others, whatever the values are. */
export function fewForCorrection(
  verifier: string,
  pairs: number,
  settings: TestSettings,
  { p, adjusted, tests }: { readonly p: number; readonly adjusted: number; readonly tests: number },
): string | undefined {
  if (!isBuiltInTest(verifier) || !(p > 0 && p < settings.alpha && adjusted >= settings.alpha))
    return undefined;
  const least = leastPairs(verifier, { ...settings, alpha: (settings.alpha * p) / adjusted });
  return pairs >= least || least === 2
    ? undefined
    : `corrected over ${tests} tests, ${count(pairs, 'pair')} are too few for ${verifier} to find this, whatever they are: it takes ${least}`;
}
