import { BASELINE } from '../base/names.ts';
import type { ConditionOutcome } from './events.ts';

/** What became of a condition, as far as a comparison wants to know. */
export interface ConditionEnd {
  readonly condition: string;
  readonly succeeded: boolean;
  /** Why there is nothing to compare; undefined when there is. */
  readonly missing: string | undefined;
}

/** What can be compared, and what cannot. */
export interface Comparable {
  readonly conditions: readonly string[];
  readonly missing: readonly { readonly condition: string; readonly reason: string }[];
  /** Conditions that did not succeed. */
  readonly unsuccessful: readonly string[];
}

export function endOf({ planned, status, manifest, blockedBy }: ConditionOutcome): ConditionEnd {
  const end = (missing: string | undefined): ConditionEnd => ({
    condition: planned.condition,
    succeeded: status === 'succeeded',
    missing,
  });
  switch (status) {
    case 'succeeded':
      return end(undefined);
    case 'failed':
      return end(manifest !== undefined && manifest.replicates.length > 0 ? undefined : 'it failed');
    case 'skipped':
      return end(`it was skipped, because ${blockedBy} did not succeed`);
    case 'aborted':
      return end('it was stopped');
  }
}

/** Undefined when nothing is left to compare: the baseline is missing, or everything but it is. */
export function comparableOf(ends: readonly ConditionEnd[]): Comparable | undefined {
  const conditions = ends.filter(({ missing }) => missing === undefined).map(({ condition }) => condition);
  const alone = conditions.length === 1 && ends.length > 1;
  if (alone || !conditions.includes(BASELINE)) return undefined;
  return {
    conditions,
    missing: ends.flatMap(({ condition, missing }) =>
      missing === undefined ? [] : [{ condition, reason: missing }],
    ),
    unsuccessful: ends.filter(({ succeeded }) => !succeeded).map(({ condition }) => condition),
  };
}
