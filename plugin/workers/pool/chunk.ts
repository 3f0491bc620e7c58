import type { FromWorker, ReplicateJob, ToWorker } from '../protocol.ts';
import type { ActiveCondition } from './active-condition.ts';

/** `setTimeout` takes longer times for none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Replicates of one condition that a worker was sent together. */
export class Chunk {
  /** Those without an answer. */
  readonly pending: Map<number, ReplicateJob>;
  /** Of those, the ones that have said so; nothing is known of the others. */
  readonly started = new Set<number>();
  /** What each replicate is at. */
  readonly calls = new Map<number, string>();
  readonly size: number;
  /** When it was the worker's turn to run it. */
  startedAt = performance.now();
  /** Its functions have been found: replicates run. */
  bound = false;
  timedOut: number | undefined;
  private readonly timers = new Map<number, NodeJS.Timeout>();

  /** @param ticket tells it apart from others that a worker was sent */
  constructor(
    readonly active: ActiveCondition,
    readonly ticket: number,
    private readonly jobs: readonly ReplicateJob[],
    private readonly concurrency: number,
  ) {
    this.size = jobs.length;
    this.pending = new Map(jobs.map((job) => [job.replicate, job]));
  }

  get message(): ToWorker {
    const { jobs: replicates, concurrency, ticket } = this;
    const { job, timeoutMs } = this.active.work;
    return {
      type: 'run',
      job,
      replicates,
      concurrency,
      announce: concurrency > 1 || timeoutMs !== undefined,
      ticket,
    };
  }

  settle(replicate: number): ReplicateJob | undefined {
    const job = this.pending.get(replicate);
    this.clearTimer(replicate);
    this.pending.delete(replicate);
    this.started.delete(replicate);
    this.calls.delete(replicate);
    return job;
  }

  setTimer(key: number, ms: number, expire: () => void): void {
    const rest = ms - LONGEST_TIMER_MS;
    const timer =
      rest > 0
        ? setTimeout(() => this.setTimer(key, rest, expire), LONGEST_TIMER_MS)
        : setTimeout(expire, ms);
    this.timers.set(key, timer);
  }

  clearTimer(key: number): void {
    if (this.timers.size === 0) return;
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
  }

  clearTimers(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  /**
   * What a worker says after it was asked to stop: its steps see their signal and give up, which is no failure of
   * theirs. What they finish counts, but for the one that was too late.
   */
  countsWhileRetiring(message: FromWorker): boolean {
    if (message.type === 'log' || message.type === 'observed') return true;
    if (message.type !== 'replicate-finished') return false;
    return this.concurrency > 1 || message.replicate !== this.timedOut;
  }
}
