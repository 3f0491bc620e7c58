import type { RunFailure } from '../../runtime/failures.ts';
import type { ConditionJob, FromWorker, ObservedRead, ReplicateJob } from '../protocol.ts';

/** The replicates of one condition, to be spread over workers. */
export interface PoolWork {
  readonly job: ConditionJob;
  readonly replicates: readonly ReplicateJob[];
  /** Most workers at a time. */
  readonly workers: number;
  readonly concurrency: number;
  readonly timeoutMs: number | undefined;
  readonly retries: number;
}

/** Hears what becomes of each replicate. Every replicate is answered exactly once by `finished` or a final `failed`. */
export interface PoolSink {
  finished(message: FromWorker & { type: 'replicate-finished' }): void;
  failed(replicate: number, failure: RunFailure, retrying: boolean): void;
  /** The condition cannot run at all; its replicates that have not been answered will not be. */
  conditionFailed(failure: RunFailure): void;
  log(replicate: number | undefined, text: string): void;
  /** The first replicate is handed out: until then the condition waited for a worker. */
  began(): void;
  /** What a worker has read; told before the answer of who read it. */
  observed(reads: readonly ObservedRead[]): void;
}
