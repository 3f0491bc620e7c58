import type { RunFailure } from './failures.ts';
import type { ConditionManifest, ReplicateRecord } from './manifest.ts';
import type { PlannedCondition } from './plan.ts';

export type ConditionStatus = 'succeeded' | 'failed' | 'skipped' | 'aborted';

export interface FailedReplicate {
  /** Undefined when the condition failed as a whole, before its first replicate. */
  readonly replicate: number | undefined;
  readonly failure: RunFailure;
}

export interface ConditionOutcome {
  readonly planned: PlannedCondition;
  readonly status: ConditionStatus;
  readonly failures: readonly FailedReplicate[];
  /** For a skipped condition: the id of the upstream condition that failed. */
  readonly blockedBy: string | undefined;
  /** How many replicates came from the store. */
  readonly reused: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** What lies in place; undefined when nothing does, or when nobody has read it. */
  readonly manifest: ConditionManifest | undefined;
}

/** What a run tells while it runs. */
export type RunEvent =
  /** The run was asked to stop. */
  | { readonly type: 'stopping' /** Finished replicates are in the store. */; readonly kept: boolean }
  | {
      readonly type: 'condition-started';
      readonly planned: PlannedCondition;
      /** Replicates taken from the store; undefined when there is no store. */
      readonly reused: number | undefined;
      /** Why the others run, in a few words each. */
      readonly reasons: readonly string[];
    }
  | { readonly type: 'warning'; readonly planned: PlannedCondition; readonly text: string }
  | {
      readonly type: 'replicate-finished';
      readonly planned: PlannedCondition;
      readonly replicate: number;
      readonly record: ReplicateRecord;
    }
  | {
      readonly type: 'replicate-failed';
      readonly planned: PlannedCondition;
      readonly replicate: number;
      readonly failure: RunFailure;
      readonly retrying: boolean;
    }
  | {
      readonly type: 'log';
      readonly planned: PlannedCondition;
      readonly replicate: number | undefined;
      readonly text: string;
    }
  | { readonly type: 'condition-finished'; readonly outcome: ConditionOutcome };
