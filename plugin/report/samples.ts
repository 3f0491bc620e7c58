import type { ConditionManifest } from '../runtime/manifest.ts';
import { meanOf } from '../statistics/describe.ts';

/** One metric under one condition. */
export interface Sample {
  /** By replicate: the mean of what it recorded; undefined when it failed or recorded nothing. */
  readonly values: readonly (number | undefined)[];
  /** A replicate recorded it several times. */
  readonly nested: boolean;
}

/** Values of one replicate are not independent: each replicate counts once, with its mean. */
export function sampleOf({ replicates, failed }: ConditionManifest, metric: string): Sample {
  const values = new Array<number | undefined>(lengthOf(replicates, failed)).fill(undefined);
  let nested = false;
  for (const { replicate, metrics } of replicates) {
    const recorded = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
    if (recorded === undefined) continue;
    values[replicate] = recorded.length === 1 ? recorded[0] : meanOf(recorded);
    nested ||= recorded.length > 1;
  }
  return { values, nested };
}

/** NaN where there is no value, as the tests take it. */
export function withGaps({ values }: Sample): number[] {
  return values.map((value) => value ?? Number.NaN);
}

/**
 * No replicate differs, and there is more than one with a number. Of a single one, or where some lack a counterpart, "the same" would
 * say too much.
 */
export function areSame(one: Sample, other: Sample): boolean {
  const longer = one.values.length > other.values.length ? one : other;
  const pairs = longer.values.map((_, i) => [one.values[i], other.values[i]] as const);
  const alike = pairs.every(([a, b]) => (a === undefined || b === undefined ? a === b : isSame(a, b)));
  return alike && one.values.filter((value) => value !== undefined && !Number.isNaN(value)).length > 1;
}

/** Not-a-number is the same as itself, and either zero as the other. */
export function isSame(a: number, b: number): boolean {
  return a === b || Object.is(a, b);
}

function lengthOf(...lists: readonly (readonly { readonly replicate: number }[])[]): number {
  let last = -1;
  for (const list of lists) for (const { replicate } of list) last = Math.max(last, replicate);
  return last + 1;
}
