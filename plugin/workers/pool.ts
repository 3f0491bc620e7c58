import type { JsonObject } from '../base/json.ts';
import type { RunFailure } from '../runtime/failures.ts';
import type {
  ConditionJob,
  CreateWorker,
  FromWorker,
  ReplicateJob,
  VerifyJob,
  Worker,
  WorkerSpec,
} from './protocol.ts';

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
  /** Absolute paths of files of the workspace that a worker has read; told before the answer of who read them. */
  observed(reads: readonly string[]): void;
}

interface Active {
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

interface Chunk {
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

type VerifyAnswer = Extract<FromWorker, { type: 'verified' | 'verify-failed' }>;

interface Slot {
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

/** A chunk this long keeps workers evenly busy and makes messages few. */
const CHUNK_MS = 50;
/** A worker whose chunks are this short gets the next ones ahead: waiting for them would take longer. */
const SHORT_CHUNK_MS = 5;
const SHORT_QUEUE = 4;
/** Longer chunks than expected: what was sent ahead is taken back. */
const REBALANCE_MS = 30;
const GRACE_MS = 200;
const VERIFY_TIMEOUT_MS = 10 * 60_000;

/** A worker beside others pays once work has waited this long for one, or when each of them has many replicates ahead. */
const PATIENCE_MS = 60;
/** While none of the others has been ready for as long: for this many times. */
const MOST_WAITS = 10;
const MANY_REPLICATES = 16;

/** Loading modules may take this much longer than a replicate may. */
const LOAD_EXTRA_MS = 60_000;
/** Key of that timer among those of the replicates. */
const LOADING = -1;

/** How a worker ends that was asked to by somebody else. */
const TERMINATED = 'signal SIGTERM';

/** Workers that share the replicates of all running conditions, first come, first served. */
export class WorkerPool {
  private readonly slots: Slot[] = [];
  private readonly active: Active[] = [];
  private closed = false;
  /** Runs while work waits that a further worker might take. */
  private patience: NodeJS.Timeout | undefined;
  private impatient = false;
  /** Runs while a worker has work ahead. */
  private rebalancing: NodeJS.Timeout | undefined;
  private tickets = 0;

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
        begun: false,
        chunks: 0,
        chunkSize: work.concurrency,
        stopped: false,
      });
      this.dispatch();
    });
  }

  /** Starts a worker before there is something to do for it. */
  warm(spec: WorkerSpec): void {
    if (!this.closed && this.slots.length === 0) this.open(spec);
  }

  /** Applies one verifier. */
  async verify(
    verify: VerifyJob,
    timeoutMs: number = VERIFY_TIMEOUT_MS,
  ): Promise<{ verdict: JsonObject } | { failure: RunFailure }> {
    if (this.closed) return { failure: { reason: 'aborted' } };
    const slot = this.idleOf(verify.worker) ?? this.open(verify.worker);
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<VerifyAnswer>((resolve) => {
      slot.verifying = resolve;
      timer = setTimeout(() => {
        slot.fault = { reason: 'timed-out', limitMs: timeoutMs };
        void retire(slot, 0);
      }, timeoutMs);
      slot.worker.send({ type: 'verify', verify });
    });
    clearTimeout(timer);
    slot.verifying = undefined;
    this.dispatch();
    return answer.type === 'verified' ? { verdict: answer.verdict } : { failure: answer.failure };
  }

  /** Stops a condition: what runs is interrupted, what waits is dropped. */
  async cancel(id: string): Promise<void> {
    const active = this.active.find((candidate) => candidate.work.job.id === id);
    if (active === undefined) return;
    active.stopped = true;
    // One that could not be taken back has begun, though its worker has not said so yet.
    const begun = this.slots.filter((slot) => takeBack(slot, active));
    const busy = this.slots.filter((slot) => slot.chunk?.active === active || begun.includes(slot));
    await Promise.all(busy.map((slot) => retire(slot, GRACE_MS)));
    this.finish(active);
  }

  /** Ends every worker. Steps that are running first see their signal. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.patience);
    clearTimeout(this.rebalancing);
    for (const active of this.active) active.stopped = true;
    await Promise.all(
      this.slots.map((slot) =>
        isIdle(slot) ? closeIdle(slot) : retire(slot, slot.chunk === undefined ? 0 : GRACE_MS),
      ),
    );
    for (const active of [...this.active]) this.finish(active);
  }

  /**
   * Hands out what waits. Loading modules costs more than many a replicate: first comes what an idle worker has loaded, then
   * what nobody has, then anything.
   */
  private dispatch(): void {
    if (this.closed) return;
    for (const choice of ['loaded', 'new', 'any'] as const) {
      for (const active of [...this.active]) {
        while (wantsWorker(active)) {
          const slot = this.slotFor(active, choice);
          if (slot === undefined) break;
          this.assign(slot, active);
        }
      }
    }
  }

  /** Whether another worker is worth its start. If not now, then it may be in a moment. */
  private paysToOpen(spec: WorkerSpec): boolean {
    const kind = kindOf(spec);
    const others = this.slots.filter((slot) => slot.kind === kind && !slot.retiring).length;
    if (others === 0 || this.impatient) {
      this.impatient = false;
      return true;
    }
    let ahead = 0;
    for (const { waiting } of this.active) ahead += waiting.length;
    if (ahead >= MANY_REPLICATES * others) return true;
    this.patience ??= this.waitForOthers(kind, MOST_WAITS);
    return false;
  }

  private waitForOthers(kind: string, waits: number): NodeJS.Timeout {
    return setTimeout(() => {
      const longAgo = performance.now() - PATIENCE_MS + 1;
      const isReady = this.slots.some((slot) => slot.kind === kind && slot.readyAt <= longAgo);
      if (!isReady && waits > 1) {
        this.patience = this.waitForOthers(kind, waits - 1);
        return;
      }
      this.patience = undefined;
      this.impatient = true;
      this.dispatch();
      this.impatient = false;
    }, PATIENCE_MS);
  }

  private slotFor(active: Active, choice: 'loaded' | 'new' | 'any'): Slot | undefined {
    const { job, workers } = active.work;
    const own = this.slots.filter((slot) => serves(slot, active));
    if (own.length >= workers) return shortestQueue(own);
    const { worker, experiment } = job;
    if (choice === 'any') return this.idleSlot(worker);
    const kind = kindOf(worker);
    const owners = this.slots.filter((slot) => slot.kind === kind && slot.loaded.has(experiment));
    if (choice === 'loaded') return owners.find(isIdle) ?? shortestQueue(owners);
    return owners.length === 0 ? this.idleSlot(worker) : undefined;
  }

  private idleSlot(spec: WorkerSpec): Slot | undefined {
    const idle = this.idleOf(spec);
    if (idle !== undefined) return idle;
    if (this.slots.length < this.size && this.paysToOpen(spec)) return this.open(spec);
    const kind = kindOf(spec);
    const queue = shortestQueue(this.slots.filter((slot) => slot.kind === kind));
    if (queue !== undefined || this.slots.length < this.size) return queue;
    // One of another kind makes room; when it is gone, work is dealt out again.
    const other = this.slots.find(isIdle);
    if (other !== undefined && !this.slots.some(({ retiring }) => retiring)) void closeIdle(other);
    return undefined;
  }

  private idleOf(spec: WorkerSpec): Slot | undefined {
    const kind = kindOf(spec);
    return this.slots.find((slot) => slot.kind === kind && isIdle(slot));
  }

  private open(spec: WorkerSpec): Slot {
    const slot: Slot = {
      kind: kindOf(spec),
      chunk: undefined,
      queue: [],
      filling: true,
      paceMs: Number.POSITIVE_INFINITY,
      verifying: undefined,
      proven: false,
      readyAt: Number.POSITIVE_INFINITY,
      loaded: new Set(),
      retiring: false,
      fault: undefined,
      worker: this.createWorker(
        {
          onMessage: (message) => this.receive(slot, message),
          onExit: (how) => this.lose(slot, how),
        },
        spec,
      ),
    };
    this.slots.push(slot);
    return slot;
  }

  private assign(slot: Slot, active: Active): void {
    const { work } = active;
    const suspect = active.isolated.pop();
    const most = Math.min(work.workers, this.size);
    // Towards the end chunks become smaller, so that all workers end together.
    const share = most === 1 ? active.waiting.length : Math.ceil(active.waiting.length / (2 * most));
    const size = Math.max(work.concurrency, Math.min(active.chunkSize, share));
    const jobs = suspect ? [suspect] : active.waiting.splice(-size).reverse();
    const concurrency = suspect ? 1 : work.concurrency;
    const chunk: Chunk = {
      active,
      ticket: this.tickets++,
      pending: new Map(jobs.map((job) => [job.replicate, job])),
      started: new Set(),
      timers: new Map(),
      announced: concurrency > 1 || work.timeoutMs !== undefined,
      concurrency,
      startedAt: performance.now(),
      size: jobs.length,
      bound: false,
      timedOut: undefined,
    };
    slot.loaded.add(work.job.experiment);
    active.chunks++;
    if (!active.begun) active.sink.began();
    active.begun = true;
    if (slot.chunk === undefined) this.begin(slot, chunk);
    else {
      slot.queue.push(chunk);
      slot.filling = slot.queue.length < slot.worker.ahead;
      this.rebalancing ??= setTimeout(() => this.rebalance(), REBALANCE_MS);
    }
    slot.worker.send({
      type: 'run',
      job: work.job,
      replicates: jobs,
      concurrency,
      announce: chunk.announced,
      ticket: chunk.ticket,
    });
  }

  /** It is the chunk's turn. */
  private begin(slot: Slot, chunk: Chunk): void {
    slot.chunk = chunk;
    chunk.startedAt = performance.now();
    const { timeoutMs } = chunk.active.work;
    if (timeoutMs !== undefined) this.limitLoading(slot, chunk, timeoutMs + LOAD_EXTRA_MS);
  }

  /** Others may have nothing to do while a chunk takes longer than those before it. */
  private rebalance(): void {
    this.rebalancing = undefined;
    for (const slot of this.slots) {
      if (slot.chunk === undefined || performance.now() - slot.chunk.startedAt < REBALANCE_MS) continue;
      if (slot.queue.length > 0) slot.paceMs = Number.POSITIVE_INFINITY;
      takeBack(slot);
    }
    if (this.slots.some(({ queue }) => queue.length > 0))
      this.rebalancing = setTimeout(() => this.rebalance(), REBALANCE_MS);
    this.dispatch();
  }

  private receive(slot: Slot, message: FromWorker): void {
    if (message.type === 'verified' || message.type === 'verify-failed') {
      slot.verifying?.(message);
      return;
    }
    if (message.type === 'uncaught') {
      slot.fault ??= { reason: 'uncaught', error: message.error };
      return;
    }
    const { chunk } = slot;
    if (chunk === undefined || (slot.retiring && !countsWhileRetiring(chunk, message))) return;
    const { active } = chunk;
    switch (message.type) {
      case 'batch-started':
        chunk.bound = true;
        if (!slot.proven) slot.readyAt = performance.now();
        slot.proven = true;
        clearTimer(chunk, LOADING);
        return;
      case 'replicate-started':
        this.watch(slot, chunk, message.replicate);
        return;
      case 'replicate-finished':
        if (settle(chunk, message.replicate) && !active.stopped) active.sink.finished(message);
        return;
      case 'replicate-failed':
        this.fail(active, settle(chunk, message.replicate), message.failure);
        return;
      case 'log':
        active.sink.log(message.replicate, message.text);
        return;
      case 'observed':
        active.sink.observed(message.reads);
        return;
      case 'batch-failed':
        this.release(slot);
        this.giveUp(active, message.failure);
        this.proceed(active);
        return;
      case 'batch-finished': {
        if (chunk.pending.size > 0) {
          slot.fault = { reason: 'worker-exited', how: 'it left a replicate without an answer' };
          void retire(slot, 0);
          return;
        }
        const ms = performance.now() - chunk.startedAt;
        slot.paceMs = Number.isFinite(slot.paceMs) ? (slot.paceMs + ms) / 2 : ms;
        const perReplicate = ms / chunk.size;
        active.chunkSize = Math.max(
          active.work.concurrency,
          Math.min(chunk.size * 4, Math.ceil(CHUNK_MS / Math.max(perReplicate, 0.001))),
        );
        this.release(slot);
        this.proceed(active);
        return;
      }
    }
  }

  /** Modules that never finish loading would otherwise escape every timeout. */
  private limitLoading(slot: Slot, chunk: Chunk, limitMs: number): void {
    const timer = setTimeout(() => {
      slot.fault = { reason: 'load-timed-out', limitMs };
      void retire(slot, 0);
    }, limitMs);
    chunk.timers.set(LOADING, timer);
  }

  private watch(slot: Slot, chunk: Chunk, replicate: number): void {
    chunk.started.add(replicate);
    const { timeoutMs } = chunk.active.work;
    if (timeoutMs === undefined) return;
    const expire = (): void => {
      if (slot.chunk !== chunk || slot.retiring || !chunk.started.has(replicate)) return;
      chunk.timedOut = replicate;
      slot.fault = { reason: 'timed-out', limitMs: timeoutMs };
      void retire(slot, GRACE_MS);
    };
    // An answer may lie in the pipe already, when this process was busy: it is read before setImmediate.
    const timer = setTimeout(() => setImmediate(expire), timeoutMs);
    chunk.timers.set(replicate, timer);
  }

  /** A worker is gone: the replicate that took it down fails, the others of its chunk run again elsewhere. */
  private lose(slot: Slot, how: string): void {
    this.slots.splice(this.slots.indexOf(slot), 1);
    // Whoever ends a tree of processes begins with its leaves: a new worker would only be in the way.
    if (how.startsWith(TERMINATED) && !slot.retiring) void this.close();
    const failure = slot.fault ?? { reason: 'worker-exited', how };
    slot.verifying?.({ type: 'verify-failed', failure });
    const { chunk } = slot;
    if (chunk === undefined) {
      this.dispatch();
      return;
    }
    const waiting = slot.queue.map(({ active }) => active);
    takeBack(slot);
    const { active } = chunk;
    // What it has begun without saying so was lost with what it had to say.
    for (const { active: other, pending } of slot.queue.splice(0)) {
      other.chunks--;
      if (!other.stopped) other.waiting.push(...again(pending.values()));
    }
    this.release(slot);
    if (!active.stopped) this.reassign(slot, chunk, failure);
    for (const other of waiting) this.proceed(other);
    this.proceed(active);
  }

  private reassign(slot: Slot, chunk: Chunk, failure: RunFailure): void {
    const { active, started, bound } = chunk;
    const unanswered = [...chunk.pending.values()].reverse();
    if (slot.retiring && slot.fault === undefined) {
      // It was stopped for the sake of another condition.
      active.waiting.push(...again(chunk.pending.values()));
      return;
    }
    if (!bound) {
      // No replicate is to blame. A worker that ran others before may have died of those; a new one died of the modules.
      if (slot.proven) active.waiting.push(...unanswered);
      else if (unanswered.length > 0) this.giveUp(active, failure);
      return;
    }
    const running = started.size > 0 ? unanswered.filter((job) => started.has(job.replicate)) : unanswered;
    const guilty = running.length === 1 ? running[0] : undefined;
    for (const job of unanswered) {
      if (job === guilty) this.fail(active, job, failure);
      else (running.includes(job) ? active.isolated : active.waiting).push({ ...job, again: true });
    }
  }

  /** Ends a condition that cannot run at all. */
  private giveUp(active: Active, failure: RunFailure): void {
    if (!active.stopped) active.sink.conditionFailed(failure);
    active.stopped = true;
  }

  private fail(active: Active, job: ReplicateJob | undefined, failure: RunFailure): void {
    if (job === undefined || active.stopped) return;
    const attempt = (active.attempts.get(job.replicate) ?? 0) + 1;
    active.attempts.set(job.replicate, attempt);
    const retrying = attempt <= active.work.retries;
    if (retrying) active.waiting.unshift({ ...job, again: true });
    active.sink.failed(job.replicate, failure, retrying);
  }

  /** A worker has done with its chunk: the next one begins. */
  private release(slot: Slot): void {
    const { chunk } = slot;
    if (chunk === undefined) return;
    for (const timer of chunk.timers.values()) clearTimeout(timer);
    chunk.active.chunks--;
    slot.chunk = undefined;
    const next = slot.queue.shift();
    if (next !== undefined) this.begin(slot, next);
    if (slot.queue.length <= SHORT_QUEUE) slot.filling = true;
  }

  private proceed(active: Active): void {
    const over = active.stopped || (active.waiting.length === 0 && active.isolated.length === 0);
    if (over && active.chunks === 0) this.finish(active);
    this.dispatch();
  }

  private finish(active: Active): void {
    const at = this.active.indexOf(active);
    if (at < 0) return;
    this.active.splice(at, 1);
    active.resolve();
  }
}

function wantsWorker({ stopped, waiting, isolated }: Active): boolean {
  return !stopped && waiting.length + isolated.length > 0;
}

function serves({ chunk, queue }: Slot, active: Active): boolean {
  return chunk?.active === active || queue.some((next) => next.active === active);
}

function kindOf(spec: WorkerSpec): string {
  return spec.type === 'python' ? `python ${spec.command}` : spec.type;
}

function isIdle(slot: Slot): boolean {
  return slot.chunk === undefined && slot.verifying === undefined && !slot.retiring;
}

/** Of the workers that take chunks ahead, the one with the fewest. */
function shortestQueue(slots: readonly Slot[]): Slot | undefined {
  const [first] = slots.filter(takesMore).sort((a, b) => a.queue.length - b.queue.length);
  return first;
}

function takesMore({ worker, chunk, queue, filling, paceMs, verifying, retiring }: Slot): boolean {
  return (
    !retiring &&
    filling &&
    chunk !== undefined &&
    verifying === undefined &&
    paceMs < SHORT_CHUNK_MS &&
    queue.length < worker.ahead
  );
}

/**
 * Takes back what a worker was sent ahead, from the end: of one condition, or all. It waits again then, unless its condition was
 * stopped. @returns whether some of it has begun
 */
function takeBack(slot: Slot, of?: Active): boolean {
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
function again(jobs: Iterable<ReplicateJob>): ReplicateJob[] {
  return [...jobs].reverse().map((job) => ({ ...job, again: true }));
}

function closeIdle(slot: Slot): Promise<void> {
  slot.retiring = true;
  return slot.worker.close();
}

function retire(slot: Slot, graceMs: number): Promise<void> {
  slot.retiring = true;
  return slot.worker.stop(graceMs);
}

/**
 * What a worker says after it was asked to stop: its steps see their signal and give up, which is no failure of
 * theirs. What they finish counts, but for the one that was too late.
 */
function countsWhileRetiring(chunk: Chunk, message: FromWorker): boolean {
  if (message.type === 'log' || message.type === 'observed') return true;
  if (message.type !== 'replicate-finished') return false;
  return chunk.concurrency > 1 || message.replicate !== chunk.timedOut;
}

function settle(chunk: Chunk, replicate: number): ReplicateJob | undefined {
  const job = chunk.pending.get(replicate);
  clearTimer(chunk, replicate);
  chunk.pending.delete(replicate);
  chunk.started.delete(replicate);
  return job;
}

function clearTimer(chunk: Chunk, key: number): void {
  if (chunk.timers.size === 0) return;
  clearTimeout(chunk.timers.get(key));
  chunk.timers.delete(key);
}
