import type { RunFailure } from '../../runtime/failures.ts';
import type { CreateWorker, FromWorker, ReplicateJob, VerifyJob, Worker, WorkerSpec } from '../protocol.ts';
import type { ActiveCondition } from './active-condition.ts';
import { Chunk } from './chunk.ts';

/** A worker whose chunks are this short gets the next ones ahead: waiting for them would take longer. */
const SHORT_CHUNK_MS = 5;
/** A queue this short is filled again. */
const SHORT_QUEUE = 4;

/** Loading modules may take this much longer than a replicate may. */
const LOAD_EXTRA_MS = 60_000;
/** Key of that timer among those of the replicates. */
const LOADING = -1;

/** Time for steps to see their signal. */
export const GRACE_MS = 200;

type VerifyAnswer = Extract<FromWorker, { type: 'verified' | 'verify-failed' }>;

/** What a slot tells its pool. `lost` comes once, last. */
export interface SlotListener {
  received(slot: Slot, message: FromWorker): void;
  lost(slot: Slot, how: string): void;
}

/** A worker, what it runs, and what it was sent ahead. */
export class Slot {
  /** Tells what it can run. */
  readonly kind: string;
  chunk: Chunk | undefined;
  /** Sent too, to be run after it. */
  readonly queue: Chunk[] = [];
  /** Experiments whose modules it has loaded. */
  readonly loaded = new Set<string>();
  /** It has run replicates before. */
  proven = false;
  /** When it first ran one; infinite before. */
  readyAt = Number.POSITIVE_INFINITY;
  /** It is being stopped, and takes no work any more. */
  retiring = false;
  /** Why it ends, when that is known better than by its exit. */
  fault: RunFailure | undefined;
  private readonly worker: Worker;
  private tickets = 0;
  /** The run that it speaks of; undefined between two of them. */
  private speaksOf: number | undefined;
  private answerVerify: ((answer: VerifyAnswer) => void) | undefined;
  /** The queue has become short, and is being filled. */
  private filling = true;
  /** What its last chunks took, smoothed; infinite before the first. */
  private paceMs = Number.POSITIVE_INFINITY;

  constructor(spec: WorkerSpec, createWorker: CreateWorker, listener: SlotListener) {
    this.kind = kindOf(spec);
    this.worker = createWorker(
      {
        onMessage: (message) => listener.received(this, message),
        onExit: (how) => listener.lost(this, how),
      },
      spec,
    );
  }

  get isIdle(): boolean {
    return this.chunk === undefined && this.answerVerify === undefined && !this.retiring;
  }

  /** Its chunks take so little that several are sent ahead. */
  get isShort(): boolean {
    return this.paceMs < SHORT_CHUNK_MS;
  }

  get takesMore(): boolean {
    return this.filling && this.isShort && this.queue.length < this.worker.ahead && this.isRunning;
  }

  /** Its chunks take longer, and one is enough for it not to wait. */
  get takesOne(): boolean {
    return this.worker.ahead > 0 && this.queue.length === 0 && Number.isFinite(this.paceMs) && this.isRunning;
  }

  private get isRunning(): boolean {
    return !this.retiring && this.chunk !== undefined && this.answerVerify === undefined;
  }

  serves(active: ActiveCondition): boolean {
    return this.chunk?.active === active || this.queue.some((next) => next.active === active);
  }

  send(active: ActiveCondition, jobs: readonly ReplicateJob[], concurrency: number): void {
    const chunk = new Chunk(active, this.tickets++, jobs, concurrency);
    this.loaded.add(active.work.job.experiment);
    if (this.chunk === undefined) this.begin(chunk);
    else {
      this.queue.push(chunk);
      this.filling = this.queue.length < this.worker.ahead;
    }
    this.worker.send(chunk.message);
  }

  /**
   * The chunk that a message is of. Chunks come one after the other, and each says which it is: one that should have come before, and did
   * not, waits again; one that was taken back, and comes all the same, counts for nothing.
   */
  chunkOf(message: FromWorker): Chunk | undefined {
    if ('ticket' in message) {
      const { type, ticket } = message;
      if (this.queue.some((next) => next.ticket === ticket))
        while (this.chunk !== undefined && this.chunk.ticket !== ticket) this.drop();
      this.speaksOf = type === 'batch-started' ? ticket : undefined;
      return this.chunk?.ticket === ticket ? this.chunk : undefined;
    }
    return this.speaksOf === undefined || this.chunk?.ticket === this.speaksOf ? this.chunk : undefined;
  }

  /** Its chunk does not run here. */
  drop(): void {
    const { chunk } = this;
    this.release();
    chunk?.active.putBack(chunk.pending.values());
  }

  /** Its chunk has its functions: replicates run. */
  bound(chunk: Chunk): void {
    chunk.bound = true;
    if (!this.proven) this.readyAt = performance.now();
    this.proven = true;
    chunk.clearTimer(LOADING);
  }

  /** A replicate of its chunk has started, and may take no longer than its time. */
  started(chunk: Chunk, replicate: number): void {
    chunk.started.add(replicate);
    const { timeoutMs } = chunk.active.work;
    if (timeoutMs === undefined) return;
    const expire = (): void => {
      if (this.chunk !== chunk || this.retiring || !chunk.started.has(replicate)) return;
      chunk.timedOut = replicate;
      void this.retire(GRACE_MS, { reason: 'timed-out', limitMs: timeoutMs });
    };
    // An answer may lie in the pipe already, when this process was busy: it is read before setImmediate.
    chunk.setTimer(replicate, timeoutMs, () => setImmediate(expire));
  }

  /** @returns the answer, also when it ends without one */
  verify(verify: VerifyJob): Promise<VerifyAnswer> {
    return new Promise((resolve) => {
      this.answerVerify = (answer) => {
        this.answerVerify = undefined;
        resolve(answer);
      };
      this.worker.send({ type: 'verify', verify });
    });
  }

  verified(answer: VerifyAnswer): void {
    this.answerVerify?.(answer);
  }

  /** Its chunk has ended after that time. */
  keepPace(ms: number): void {
    this.paceMs = Number.isFinite(this.paceMs) ? (this.paceMs + ms) / 2 : ms;
  }

  /** Its chunk takes longer than those before it: what was sent ahead waits again. */
  slowDown(): void {
    if (this.queue.length > 0) this.paceMs = Number.POSITIVE_INFINITY;
    this.takeBack();
  }

  /** Its chunk is over: the next one begins. */
  release(): void {
    const { chunk } = this;
    if (chunk === undefined) return;
    chunk.clearTimers();
    chunk.active.chunks--;
    this.chunk = undefined;
    const next = this.queue.shift();
    if (next !== undefined) this.begin(next);
    if (this.queue.length <= SHORT_QUEUE) this.filling = true;
  }

  /**
   * Takes back what it was sent ahead, from the end: of one condition, or all. It waits again then, unless its condition was
   * stopped. @returns whether some of it has begun
   */
  takeBack(of?: ActiveCondition): boolean {
    let begun = false;
    for (const chunk of [...this.queue].reverse()) {
      const { active, pending, ticket } = chunk;
      if (of !== undefined && active !== of) continue;
      if (!this.worker.revoke(ticket)) {
        begun = true;
        continue;
      }
      this.queue.splice(this.queue.indexOf(chunk), 1);
      active.chunks--;
      active.putBack(pending.values());
    }
    return begun;
  }

  /** Ends it once its steps have let go of what they hold. */
  close(): Promise<void> {
    this.retiring = true;
    return this.worker.close();
  }

  /** Ends it: at once, or after giving steps a moment to see their signal. */
  retire(graceMs: number, fault?: RunFailure): Promise<void> {
    if (fault !== undefined) this.fault = fault;
    this.retiring = true;
    return this.worker.stop(graceMs);
  }

  private begin(chunk: Chunk): void {
    this.chunk = chunk;
    chunk.startedAt = performance.now();
    const { timeoutMs } = chunk.active.work;
    if (timeoutMs === undefined) return;
    // Modules that never finish loading would otherwise escape every timeout.
    const limitMs = timeoutMs + LOAD_EXTRA_MS;
    chunk.setTimer(LOADING, limitMs, () => void this.retire(0, { reason: 'load-timed-out', limitMs }));
  }
}

export function kindOf(spec: WorkerSpec): string {
  return spec.type === 'python' ? `python ${spec.command}` : spec.type;
}

/** Of the workers that take chunks ahead, the one with the fewest. */
export function shortestQueue(slots: readonly Slot[]): Slot | undefined {
  const [first] = slots.filter((slot) => slot.takesMore).sort((a, b) => a.queue.length - b.queue.length);
  return first;
}
