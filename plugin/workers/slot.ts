import type { RunFailure } from '../runtime/failures.ts';
import type { ConditionJob, FromWorker, ObservedRead, ReplicateJob, Worker, WorkerSpec } from './protocol.ts';

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
  /** What of the workspace a worker has read; told before the answer of who read it. */
  observed(reads: readonly ObservedRead[]): void;
}

export interface Active {
  readonly work: PoolWork;
  readonly sink: PoolSink;
  readonly resolve: () => void;
  /** Not yet handed out, next one last. */
  readonly waiting: ReplicateJob[];
  /** Suspects of a crash or of a timeout: each runs alone, so that the guilty one is known. */
  readonly isolated: ReplicateJob[];
  readonly attempts: Map<number, number>;
  begun: boolean;
  /** Chunks that are with workers. */
  chunks: number;
  /** Replicates of the next chunk; grows until a chunk takes about CHUNK_MS. */
  chunkSize: number;
  stopped: boolean;
}

export interface Chunk {
  readonly active: Active;
  readonly ticket: number;
  readonly pending: Map<number, ReplicateJob>;
  readonly started: Set<number>;
  readonly timers: Map<number, NodeJS.Timeout>;
  readonly announced: boolean;
  readonly concurrency: number;
  /** When it was the worker's turn to run it. */
  startedAt: number;
  readonly size: number;
  /** Its functions have been found: replicates run. */
  bound: boolean;
  timedOut: number | undefined;
}

export type VerifyAnswer = Extract<FromWorker, { type: 'verified' | 'verify-failed' }>;

export interface Slot {
  worker: Worker;
  /** Tells what it can run. */
  readonly kind: string;
  chunk: Chunk | undefined;
  /** Sent too, to be run after it. */
  readonly queue: Chunk[];
  /** The queue has become short, and is being filled. */
  filling: boolean;
  /** What its last chunks took, smoothed; infinite before the first. */
  paceMs: number;
  verifying: ((answer: VerifyAnswer) => void) | undefined;
  /** It has run replicates before. */
  proven: boolean;
  /** When it first ran one; infinite before. */
  readyAt: number;
  /** Experiments whose modules it has loaded. */
  readonly loaded: Set<string>;
  /** It is being stopped, and takes no work any more. */
  retiring: boolean;
  /** Why it ends, when that is known better than by its exit. */
  fault: RunFailure | undefined;
}

/** A worker whose chunks are this short gets the next ones ahead: waiting for them would take longer. */
const SHORT_CHUNK_MS = 5;

export function wantsWorker({ stopped, waiting, isolated }: Active): boolean {
  return !stopped && waiting.length + isolated.length > 0;
}

export function serves({ chunk, queue }: Slot, active: Active): boolean {
  return chunk?.active === active || queue.some((next) => next.active === active);
}

export function kindOf(spec: WorkerSpec): string {
  return spec.type === 'python' ? `python ${spec.command}` : spec.type;
}

export function isIdle(slot: Slot): boolean {
  return slot.chunk === undefined && slot.verifying === undefined && !slot.retiring;
}

/** Of the workers that take chunks ahead, the one with the fewest. */
export function shortestQueue(slots: readonly Slot[]): Slot | undefined {
  const [first] = slots.filter(takesMore).sort((a, b) => a.queue.length - b.queue.length);
  return first;
}

/** Its chunks take so little that several are sent ahead. */
export function isShort({ paceMs }: Slot): boolean {
  return paceMs < SHORT_CHUNK_MS;
}

export function takesMore(slot: Slot): boolean {
  return slot.filling && isShort(slot) && slot.queue.length < slot.worker.ahead && isRunning(slot);
}

/** Its chunks take longer, and one is enough for it not to wait. */
export function takesOne(slot: Slot): boolean {
  return slot.worker.ahead > 0 && slot.queue.length === 0 && Number.isFinite(slot.paceMs) && isRunning(slot);
}

function isRunning({ chunk, verifying, retiring }: Slot): boolean {
  return !retiring && chunk !== undefined && verifying === undefined;
}

/**
 * Takes back what a worker was sent ahead, from the end: of one condition, or all. It waits again then, unless its condition was
 * stopped. @returns whether some of it has begun
 */
export function takeBack(slot: Slot, of?: Active): boolean {
  let begun = false;
  for (const chunk of [...slot.queue].reverse()) {
    const { active, pending, ticket } = chunk;
    if (of !== undefined && active !== of) continue;
    if (!slot.worker.revoke(ticket)) {
      begun = true;
      continue;
    }
    slot.queue.splice(slot.queue.indexOf(chunk), 1);
    active.chunks--;
    if (!active.stopped) active.waiting.push(...[...pending.values()].reverse());
  }
  return begun;
}

/** As jobs that may have been begun, the next one last. */
export function again(jobs: Iterable<ReplicateJob>): ReplicateJob[] {
  return [...jobs].reverse().map((job) => ({ ...job, again: true }));
}

export function closeIdle(slot: Slot): Promise<void> {
  slot.retiring = true;
  return slot.worker.close();
}

export function retire(slot: Slot, graceMs: number): Promise<void> {
  slot.retiring = true;
  return slot.worker.stop(graceMs);
}

/**
 * What a worker says after it was asked to stop: its steps see their signal and give up, which is no failure of
 * theirs. What they finish counts, but for the one that was too late.
 */
export function countsWhileRetiring(chunk: Chunk, message: FromWorker): boolean {
  if (message.type === 'log' || message.type === 'observed') return true;
  if (message.type !== 'replicate-finished') return false;
  return chunk.concurrency > 1 || message.replicate !== chunk.timedOut;
}

export function settle(chunk: Chunk, replicate: number): ReplicateJob | undefined {
  const job = chunk.pending.get(replicate);
  clearTimer(chunk, replicate);
  chunk.pending.delete(replicate);
  chunk.started.delete(replicate);
  return job;
}

export function clearTimer(chunk: Chunk, key: number): void {
  if (chunk.timers.size === 0) return;
  clearTimeout(chunk.timers.get(key));
  chunk.timers.delete(key);
}
