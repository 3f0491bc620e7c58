import type { JsonObject } from '../base/json.ts';
import type { RunFailure } from '../runtime/failures.ts';
import type { ConditionJob, CreateWorker, FromWorker, ReplicateJob, VerifyJob, Worker } from './protocol.ts';

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
}

interface Active {
  readonly work: PoolWork;
  readonly sink: PoolSink;
  readonly resolve: () => void;
  /** Not yet handed out, next one last. */
  readonly waiting: ReplicateJob[];
  /** Suspects of a crash: each runs alone, so that the guilty one is known. */
  readonly isolated: ReplicateJob[];
  readonly attempts: Map<number, number>;
  workers: number;
  /** Replicates of the next chunk; grows until a chunk takes about CHUNK_MS. */
  chunkSize: number;
  stopped: boolean;
}

interface Chunk {
  readonly active: Active;
  readonly pending: Map<number, ReplicateJob>;
  readonly started: Set<number>;
  readonly timers: Map<number, NodeJS.Timeout>;
  readonly announced: boolean;
  readonly concurrency: number;
  readonly sentAt: number;
  readonly size: number;
  timedOut: number | undefined;
}

interface Slot {
  worker: Worker;
  chunk: Chunk | undefined;
  verifying: ((answer: FromWorker | { type: 'exit'; how: string }) => void) | undefined;
}

/** A chunk this long keeps workers evenly busy and makes messages few. */
const CHUNK_MS = 50;
const GRACE_MS = 200;
const VERIFY_TIMEOUT_MS = 10 * 60_000;

/** Worker processes that share the replicates of all running conditions, first come, first served. */
export class WorkerPool {
  private readonly slots: Slot[] = [];
  private readonly active: Active[] = [];
  private closed = false;

  constructor(
    private readonly size: number,
    private readonly createWorker: CreateWorker,
  ) {}

  /** Runs the replicates; resolves when each has been answered, or the condition failed, or the pool was stopped. */
  run(work: PoolWork, sink: PoolSink): Promise<void> {
    if (this.closed || work.replicates.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.active.push({
        work,
        sink,
        resolve,
        waiting: [...work.replicates].reverse(),
        isolated: [],
        attempts: new Map(),
        workers: 0,
        chunkSize: work.concurrency,
        stopped: false,
      });
      this.dispatch();
    });
  }

  /** Applies one verifier. */
  async verify(verify: VerifyJob): Promise<{ verdict: JsonObject } | { failure: RunFailure }> {
    let slot = this.slots.find(
      (candidate) => candidate.chunk === undefined && candidate.verifying === undefined,
    );
    slot ??= this.open();
    const { worker } = slot;
    const answer = await new Promise<FromWorker | { type: 'exit'; how: string }>((resolve) => {
      slot.verifying = resolve;
      const timer = setTimeout(() => void worker.stop(0), VERIFY_TIMEOUT_MS);
      timer.unref();
      worker.send({ type: 'verify', verify });
    });
    slot.verifying = undefined;
    this.dispatch();
    if (answer.type === 'verified') return { verdict: answer.verdict };
    if (answer.type === 'verify-failed') return { failure: answer.failure };
    return { failure: { reason: 'worker-exited', how: answer.type === 'exit' ? answer.how : answer.type } };
  }

  /** Stops a condition: what runs is interrupted, what waits is dropped. */
  async cancel(id: string): Promise<void> {
    const active = this.active.find((candidate) => candidate.work.job.id === id);
    if (active === undefined) return;
    active.stopped = true;
    const busy = this.slots.filter((slot) => slot.chunk?.active === active);
    await Promise.all(busy.map((slot) => slot.worker.stop(GRACE_MS)));
    this.finish(active);
  }

  /** Ends every worker. Steps that are running first see their signal. */
  async close(): Promise<void> {
    this.closed = true;
    for (const active of this.active) active.stopped = true;
    await Promise.all(this.slots.map((slot) => slot.worker.stop(slot.chunk === undefined ? 0 : GRACE_MS)));
    for (const active of [...this.active]) this.finish(active);
  }

  private dispatch(): void {
    if (this.closed) return;
    for (const active of [...this.active]) {
      while (!active.stopped && active.workers < active.work.workers) {
        if (active.waiting.length === 0 && active.isolated.length === 0) break;
        const slot = this.idleSlot();
        if (slot === undefined) return;
        this.assign(slot, active);
      }
    }
  }

  private idleSlot(): Slot | undefined {
    const idle = this.slots.find((slot) => slot.chunk === undefined && slot.verifying === undefined);
    return idle ?? (this.slots.length < this.size ? this.open() : undefined);
  }

  private open(): Slot {
    const slot: Slot = {
      chunk: undefined,
      verifying: undefined,
      worker: this.createWorker({
        onMessage: (message) => this.receive(slot, message),
        onExit: (how) => this.lose(slot, how),
      }),
    };
    this.slots.push(slot);
    return slot;
  }

  private assign(slot: Slot, active: Active): void {
    const { work } = active;
    const suspect = active.isolated.pop();
    const share = Math.ceil(active.waiting.length / (2 * Math.min(work.workers, this.size)));
    const size = Math.max(work.concurrency, Math.min(active.chunkSize, share));
    const jobs = suspect ? [suspect] : active.waiting.splice(-size).reverse();
    const concurrency = suspect ? 1 : work.concurrency;
    const chunk: Chunk = {
      active,
      pending: new Map(jobs.map((job) => [job.replicate, job])),
      started: new Set(),
      timers: new Map(),
      announced: concurrency > 1 || work.timeoutMs !== undefined,
      concurrency,
      sentAt: performance.now(),
      size: jobs.length,
      timedOut: undefined,
    };
    slot.chunk = chunk;
    active.workers++;
    slot.worker.send({
      type: 'run',
      job: work.job,
      replicates: jobs,
      concurrency,
      announce: chunk.announced,
    });
  }

  private receive(slot: Slot, message: FromWorker): void {
    if (message.type === 'verified' || message.type === 'verify-failed') {
      slot.verifying?.(message);
      return;
    }
    const { chunk } = slot;
    if (chunk === undefined) return;
    const { active } = chunk;
    switch (message.type) {
      case 'replicate-started':
        this.watch(slot, chunk, message.replicate);
        return;
      case 'replicate-finished':
        settle(chunk, message.replicate);
        if (!active.stopped) active.sink.finished(message);
        return;
      case 'replicate-failed':
        this.fail(active, settle(chunk, message.replicate), message.failure);
        return;
      case 'log':
        active.sink.log(message.replicate, message.text);
        return;
      case 'batch-failed':
        this.release(slot);
        if (!active.stopped) active.sink.conditionFailed(message.failure);
        active.stopped = true;
        active.waiting.length = 0;
        active.isolated.length = 0;
        this.proceed(active);
        return;
      case 'batch-finished': {
        const perReplicate = (performance.now() - chunk.sentAt) / chunk.size;
        active.chunkSize = Math.max(
          active.work.concurrency,
          Math.min(chunk.size * 4, Math.ceil(CHUNK_MS / Math.max(perReplicate, 0.001))),
        );
        this.release(slot);
        this.proceed(active);
        return;
      }
      case 'uncaught':
        return;
    }
  }

  private watch(slot: Slot, chunk: Chunk, replicate: number): void {
    chunk.started.add(replicate);
    const { timeoutMs } = chunk.active.work;
    if (timeoutMs === undefined) return;
    const timer = setTimeout(() => {
      if (chunk.timedOut !== undefined) return;
      chunk.timedOut = replicate;
      void slot.worker.stop(GRACE_MS);
    }, timeoutMs);
    chunk.timers.set(replicate, timer);
  }

  /** A worker is gone: the replicate that took it down fails, the others of its chunk run again elsewhere. */
  private lose(slot: Slot, how: string): void {
    this.slots.splice(this.slots.indexOf(slot), 1);
    slot.verifying?.({ type: 'exit', how });
    const { chunk } = slot;
    if (chunk === undefined) {
      this.dispatch();
      return;
    }
    const { active } = chunk;
    this.release(slot);
    if (active.stopped) {
      this.proceed(active);
      return;
    }
    const unanswered = [...chunk.pending.values()];
    const running = unanswered.filter((job, i) =>
      chunk.announced ? chunk.started.has(job.replicate) : i === 0,
    );
    const guilty =
      chunk.timedOut !== undefined
        ? running.filter((job) => job.replicate === chunk.timedOut)
        : running.length === 1
          ? running
          : [];
    const suspects = chunk.timedOut === undefined && guilty.length === 0 ? running : [];
    for (const job of unanswered) {
      if (guilty.includes(job)) continue;
      (suspects.includes(job) ? active.isolated : active.waiting).push({ ...job, again: true });
    }
    for (const job of guilty) {
      const timedOut = chunk.timedOut === job.replicate && active.work.timeoutMs !== undefined;
      this.fail(
        active,
        job,
        timedOut
          ? { reason: 'timed-out', limitMs: active.work.timeoutMs ?? 0 }
          : { reason: 'worker-exited', how },
      );
    }
    if (unanswered.length > 0 && running.length === 0) {
      // It died before its first replicate: no replicate is to blame, and the next worker would die the same way.
      active.sink.conditionFailed({ reason: 'worker-exited', how });
      active.stopped = true;
    }
    this.proceed(active);
  }

  private fail(active: Active, job: ReplicateJob | undefined, failure: RunFailure): void {
    if (job === undefined || active.stopped) return;
    const attempt = (active.attempts.get(job.replicate) ?? 0) + 1;
    active.attempts.set(job.replicate, attempt);
    const retrying = attempt <= active.work.retries;
    if (retrying) active.waiting.unshift({ ...job, again: true });
    active.sink.failed(job.replicate, failure, retrying);
  }

  private release(slot: Slot): void {
    const { chunk } = slot;
    if (chunk === undefined) return;
    for (const timer of chunk.timers.values()) clearTimeout(timer);
    chunk.active.workers--;
    slot.chunk = undefined;
  }

  private proceed(active: Active): void {
    const over = active.stopped || (active.waiting.length === 0 && active.isolated.length === 0);
    if (over && active.workers === 0) this.finish(active);
    this.dispatch();
  }

  private finish(active: Active): void {
    const at = this.active.indexOf(active);
    if (at < 0) return;
    this.active.splice(at, 1);
    active.resolve();
  }
}

function settle(chunk: Chunk, replicate: number): ReplicateJob | undefined {
  const job = chunk.pending.get(replicate);
  clearTimeout(chunk.timers.get(replicate));
  chunk.timers.delete(replicate);
  chunk.pending.delete(replicate);
  chunk.started.delete(replicate);
  return job;
}
