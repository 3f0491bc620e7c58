import { isBuiltInTest } from '../statistics/built-in.ts';
import type { Verdict } from './model.ts';

export type Side = 'higher' | 'lower';

/**
 * On which side of the baseline a verdict sees a condition. The Hodges-Lehmann estimate of the tests by rank is zero when most
 * values tie, as those of what passes or fails do: then the effect size tells.
 *
 * @param observed difference, for verdicts that give none
 */
export function sideOf(
  { result, builtIn }: Pick<Verdict, 'result' | 'builtIn'>,
  observed = Number.NaN,
): Side | undefined {
  if (!result.ok) return undefined;
  const { difference = observed, effect_size: effect } = result.values;
  for (const value of builtIn ? [difference, effect] : [difference])
    if (typeof value === 'number' && value !== 0 && !Number.isNaN(value))
      return value > 0 ? 'higher' : 'lower';
  return undefined;
}

/** Whether the verdict's test would find such a difference, were it large enough: not the one on the side where it does not look. */
export function looksFor(verdict: Verdict, difference: number): boolean {
  if (asksForEquivalence(verdict)) return false;
  const { alternative = 'two-sided' } = verdict;
  return alternative === 'two-sided' || difference > 0 === (alternative === 'greater');
}

/** A significant verdict says that there is no difference that matters. */
export function asksForEquivalence({ verifier, builtIn }: Pick<Verdict, 'verifier' | 'builtIn'>): boolean {
  return builtIn && isBuiltInTest(verifier) && verifier === 'equivalence';
}
