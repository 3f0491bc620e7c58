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
