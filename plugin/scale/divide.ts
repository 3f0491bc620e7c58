import { MAX_SHARDS } from '../base/names.ts';
import type { PlannedCondition } from '../runtime/plan.ts';
import type { ConditionPreview } from '../runtime/preview.ts';
import { blockOf, shardsOf } from '../runtime/shards.ts';

/** An element is worth its start, and short enough to be lost. */
const ELEMENT_MS = 300_000;
/** When nobody has said, and no run before tells how long replicates take. */
const UNKNOWN_SHARDS = 8;
const MOST_SHARDS = 100;

/** How one condition is spread over elements. */
export interface Division {
  readonly planned: PlannedCondition;
  readonly shards: number;
  /** The parts that have something to run; none: one job runs what there is. */
  readonly elements: readonly number[];
}

/** @param asked how many elements at most; undefined: what the config says, or by what is known of their time */
export function divide(preview: ConditionPreview, asked: number | undefined): Division {
  const { planned, missing } = preview;
  const { replicates } = planned;
  const wanted = asked ?? planned.execution.shards ?? shardsByTime(preview);
  const shards = Math.max(1, Math.min(wanted, replicates, MAX_SHARDS));
  const lacking = new Set(missing);
  const elements = shardsOf(shards).filter((shard) =>
    blockOf(shard, replicates).some((replicate) => lacking.has(replicate)),
  );
  // What one part lacks, the job that puts them together can run as well.
  return { planned, shards, elements: elements.length > 1 ? elements.map(({ k }) => k) : [] };
}

function shardsByTime({ planned, missing, expectedMs }: ConditionPreview): number {
  const { estimateMs, concurrency } = planned.execution;
  const estimate = estimateMs === undefined ? undefined : (estimateMs * missing.length) / concurrency;
  const ms = expectedMs ?? estimate;
  return ms === undefined ? UNKNOWN_SHARDS : Math.min(MOST_SHARDS, Math.ceil(ms / ELEMENT_MS));
}
