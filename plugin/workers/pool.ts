import type { JsonObject } from '../base/json.ts';
import type { RunFailure } from '../runtime/failures.ts';
import type { CreateWorker, FromWorker, ReplicateJob, VerifyJob, WorkerSpec } from './protocol.ts';
import {
  type Active,
  again,
  type Chunk,
  clearTimer,
  closeIdle,
  countsWhileRetiring,
  isIdle,
  isShort,
  kindOf,
  type PoolSink,
  type PoolWork,
  retire,
  type Slot,
  serves,
  settle,
  shortestQueue,
  takeBack,
  takesOne,
  type VerifyAnswer,
  wantsWorker,
} from './slot.ts';

/** A chunk this long keeps workers evenly busy and makes messages few. */
const CHUNK_MS = 50;
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

  /** Whether it runs nothing any more: it was closed, or someone ended its workers and with them, soon, this process. */
  get isClosed(): boolean {
    return this.closed;
  }

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
   * what nobody has, then anything; and what is left then goes to busy workers, so that none waits for its next chunk.
   */
  private dispatch(): void {
    if (this.closed) return;
    for (const choice of ['loaded', 'new', 'any', 'ahead'] as const) {
      for (const active of [...this.active]) {
        while (wantsWorker(active)) {
          const slot = this.slotFor(active, choice);
          if (slot === undefined) break;
          this.assign(slot, active);
        }
      }
    }
    for (const idle of this.slots.filter(isIdle)) this.help(idle);
  }

  /** A worker with nothing to do takes over what another one was sent ahead and has not begun. */
  private help(idle: Slot): void {
    for (const slot of this.slots) {
      const active = slot.queue[0]?.active;
      if (active === undefined || slot.kind !== idle.kind || isShort(slot)) continue;
      if (this.serving(active).length >= active.work.workers) continue;
      takeBack(slot);
      if (wantsWorker(active)) this.assign(idle, active);
      return;
    }
  }

  private serving(active: Active): Slot[] {
    return this.slots.filter((slot) => serves(slot, active));
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

  private slotFor(active: Active, choice: 'loaded' | 'new' | 'any' | 'ahead'): Slot | undefined {
    const { job, workers } = active.work;
    const own = this.serving(active);
    const { worker, experiment } = job;
    const kind = kindOf(worker);
    if (choice === 'ahead') {
      // While another worker may be idle or started, it would be better off there.
      const isFull = this.slots.length >= this.size && !this.slots.some(isIdle);
      const able =
        own.length >= workers ? own : isFull ? this.slots.filter((slot) => slot.kind === kind) : [];
      return able.find(takesOne);
    }
    if (own.length >= workers) return shortestQueue(own);
    if (choice === 'any') return this.idleSlot(worker);
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
      if (!isShort(slot)) continue;
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
