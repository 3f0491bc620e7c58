import type { Json, JsonObject } from '../../base/json.ts';
import type { RunFailure } from '../failures.ts';

/** What rounding may take a p-value beyond its bounds. */
const ROUNDING = 1e-9;

/** A verdict of a verifier of the user's, of which reports and gates rely on two values; either may be missing. */
export function checkedVerdict(
  verifier: string,
  verdict: JsonObject,
): { readonly verdict: JsonObject } | { readonly failure: RunFailure } {
  const invalid = (key: 'p_value' | 'significant', value: Json) => ({
    failure: { reason: 'verdict-value-invalid', verifier, key, got: JSON.stringify(value) } as const,
  });
  const { p_value: p = null, significant = null } = verdict;
  if (significant !== null && typeof significant !== 'boolean') return invalid('significant', significant);
  if (p === null || p === 'NaN') return { verdict };
  if (typeof p !== 'number' || !(p >= -ROUNDING && p <= 1 + ROUNDING)) return invalid('p_value', p);
  return { verdict: { ...verdict, p_value: Math.min(Math.max(p, 0), 1) } };
}
