import { MAX_SHARDS } from '../base/names.ts';
import type { Execution } from '../config/config.ts';

/** One of n parts of a condition, counted from 1. */
export interface Shard {
  readonly k: number;
  readonly n: number;
}

/** Beside the conditions' folders in results/; no condition's name begins with a dot. */
export const SHARDS_FOLDER = '.shards';

/** `2of4`, as it stands in the names of targets and folders. */
export function shardName({ k, n }: Shard): string {
  return `${k}of${n}`;
}

/** Reads `2of4`; undefined for anything that `shardName` does not write. */
export function parseShard(text: string): Shard | undefined {
  const [, k, n] = /^([1-9]\d{0,3})of([1-9]\d{0,3})$/.exec(text) ?? [];
  const shard = { k: Number(k), n: Number(n) };
  return shard.k <= shard.n && shard.n <= MAX_SHARDS ? shard : undefined;
}

/** All n of them, in order. */
export function shardsOf(n: number): Shard[] {
  return Array.from({ length: n }, (_, i) => ({ k: i + 1, n }));
}

/**
 * The replicates of a shard: one block of neighbours, so that the blocks in order are all replicates in order. With more
 * shards than replicates some are empty.
 */
export function blockOf({ k, n }: Shard, replicates: number): number[] {
  const first = Math.floor(((k - 1) * replicates) / n);
  const end = Math.floor((k * replicates) / n);
  return Array.from({ length: end - first }, (_, i) => first + i);
}

/**
 * How many shards each condition of an experiment has, by what is written in files that every machine has: never by times
 * that one machine has measured, or two of them would see different tasks.
 *
 * @param shardTimeMs how long a shard should take; undefined: estimates say nothing
 * @returns undefined for a condition that is not divided
 */
export function shardCount(
  replicates: number,
  { shards, estimateMs }: Pick<Execution, 'shards' | 'estimateMs'>,
  shardTimeMs: number | undefined,
): number | undefined {
  const byTime =
    estimateMs === undefined || shardTimeMs === undefined
      ? 1
      : Math.min(replicates, MAX_SHARDS, Math.ceil((replicates * estimateMs) / shardTimeMs));
  const count = shards ?? byTime;
  return count > 1 ? count : undefined;
}

/** Whether Nx divides the conditions of an experiment, or would with a `shardTime`. */
export function mayBeDivided({ shards, estimateMs }: Pick<Execution, 'shards' | 'estimateMs'>): boolean {
  return shards === undefined ? estimateMs !== undefined : shards > 1;
}
