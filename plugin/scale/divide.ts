import { MAX_SHARDS } from '../base/names.ts';
import type { PlannedCondition } from '../runtime/plan.ts';
import { type ConditionPreview, lanesOf } from '../runtime/run/preview.ts';
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

/**
 * @param asked how many elements at most; undefined: what the config says, or by what is known of their time
 * @param cpus of an element
 */
export function divide(preview: ConditionPreview, asked: number | undefined, cpus: number): Division {
  const { planned } = preview;
  const wanted = asked ?? planned.execution.shards ?? shardsByTime(preview, cpus);
  const shards = Math.max(1, Math.min(wanted, planned.replicates, MAX_SHARDS));
  const elements = lackingElements(preview, shards);
  // What one part lacks, the job that puts them together can run as well.
  return { planned, shards, elements: elements.length > 1 ? elements : [] };
}

function lackingElements({ planned: { replicates }, missing }: ConditionPreview, shards: number): number[] {
  const lacking = new Set(missing);
  return shardsOf(shards)
    .filter((shard) => blockOf(shard, replicates).some((replicate) => lacking.has(replicate)))
    .map(({ k }) => k);
}

/**
 * What is missing may lie side by side, such as ten replicates more: the blocks are as long as if all had to run, and those of
 * which nothing is missing are left out.
 */
function shardsByTime(preview: ConditionPreview, cpus: number): number {
  const { planned, missing, expectedMs } = preview;
  const { estimateMs } = planned.execution;
  const rounds = Math.ceil(missing.length / lanesOf(planned, cpus));
  const ms = expectedMs ?? (estimateMs === undefined ? undefined : estimateMs * rounds);
  if (ms === undefined) return UNKNOWN_SHARDS;
  if (ms <= ELEMENT_MS) return 1;
  const all = (ms / missing.length) * planned.replicates;
  const shards = Math.min(planned.replicates, MAX_SHARDS, Math.ceil(all / ELEMENT_MS));
  const elements = lackingElements(preview, shards).length;
  return elements <= MOST_SHARDS ? shards : Math.floor((shards * MOST_SHARDS) / elements);
}
