import type { RunFailure } from '../../runtime/failures.ts';
import type { ReplicateJob } from '../protocol.ts';
import type { PoolSink, PoolWork } from './work.ts';

/** A chunk this long keeps workers evenly busy and makes messages few. */
const CHUNK_MS = 50;

/** A condition in the pool: which of its replicates wait, and what has become of the others. */
export class ActiveCondition {
  /** Chunks that are with workers. */
  chunks = 0;
  stopped = false;
  /** Not yet handed out, next one last. */
  private readonly waiting: ReplicateJob[];
  /** Suspects of a crash or of a timeout: each runs alone, so that the guilty one is known. */
  private readonly isolated: ReplicateJob[] = [];
  private readonly attempts = new Map<number, number>();
  /** Replicates of the next chunk. */
  private chunkSize: number;
  private begun = false;

  constructor(
    readonly work: PoolWork,
    readonly sink: PoolSink,
    readonly resolve: () => void,
  ) {
    this.waiting = [...work.replicates].reverse();
    this.chunkSize = work.concurrency;
  }

  get ahead(): number {
    return this.waiting.length;
  }

  get wantsWorker(): boolean {
    return !this.stopped && this.waiting.length + this.isolated.length > 0;
  }

  /** Nothing of it runs, and nothing will. */
  get isOver(): boolean {
    return this.chunks === 0 && !this.wantsWorker;
  }

  /** The jobs of its next chunk. Towards the end chunks become smaller, so that all workers end together. */
  take(poolSize: number): { readonly jobs: readonly ReplicateJob[]; readonly concurrency: number } {
    this.chunks++;
    if (!this.begun) this.sink.began();
    this.begun = true;
    const suspect = this.isolated.pop();
    if (suspect !== undefined) return { jobs: [suspect], concurrency: 1 };
    const { workers, concurrency } = this.work;
    const most = Math.min(workers, poolSize);
    const share = most === 1 ? this.waiting.length : Math.ceil(this.waiting.length / (2 * most));
    const size = Math.max(concurrency, Math.min(this.chunkSize, share));
    return { jobs: this.waiting.splice(-size).reverse(), concurrency };
  }

  /** Jobs that were handed out and have not begun. */
  putBack(jobs: Iterable<ReplicateJob>): void {
    if (!this.stopped) this.waiting.push(...[...jobs].reverse());
  }

  /** Jobs that may have been begun, and whose answer is lost. */
  putBackBegun(jobs: Iterable<ReplicateJob>): void {
    this.putBack(Array.from(jobs, (job) => ({ ...job, again: true }) as const));
  }

  /** A job that may have taken its worker down. */
  isolate(job: ReplicateJob): void {
    this.isolated.push({ ...job, again: true });
  }

  /** The next chunk takes about CHUNK_MS, if this one shows what a replicate takes. */
  adapt(size: number, ms: number): void {
    const perReplicate = Math.max(ms / size, 0.001);
    this.chunkSize = Math.max(this.work.concurrency, Math.min(size * 4, Math.ceil(CHUNK_MS / perReplicate)));
  }

  fail(job: ReplicateJob, failure: RunFailure): void {
    if (this.stopped) return;
    const attempt = (this.attempts.get(job.replicate) ?? 0) + 1;
    this.attempts.set(job.replicate, attempt);
    const retrying = attempt <= this.work.retries;
    if (retrying) this.waiting.unshift({ ...job, again: true });
    this.sink.failed(job.replicate, failure, retrying);
  }

  /** It cannot run at all. */
  giveUp(failure: RunFailure): void {
    if (!this.stopped) this.sink.conditionFailed(failure);
    this.stopped = true;
  }
}
