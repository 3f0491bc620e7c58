import type { JsonObject } from '../../base/json.ts';
import type { RunFailure } from '../../runtime/failures.ts';
import type { CreateWorker, FromWorker, VerifyJob, WorkerSpec } from '../protocol.ts';
import { ActiveCondition } from './active-condition.ts';
import { blame } from './blame.ts';
import { Patience } from './patience.ts';
import { GRACE_MS, kindOf, Slot, shortestQueue } from './slot.ts';
import type { PoolSink, PoolWork } from './work.ts';

/** Longer chunks than expected: what was sent ahead is taken back. */
const REBALANCE_MS = 30;
const VERIFY_TIMEOUT_MS = 10 * 60_000;

/** How a worker ends that was asked to by somebody else. */
const TERMINATED = 'signal SIGTERM';

/** Where work may go, first choice first. */
const CHOICES = ['loaded', 'new', 'any', 'ahead'] as const;

/** Workers that share the replicates of all running conditions, first come, first served. */
export class WorkerPool {
  private readonly slots: Slot[] = [];
  private readonly active: ActiveCondition[] = [];
  private readonly patience = new Patience(() => this.dispatch());
  private closed = false;
  /** Runs while a worker has work ahead. */
  private rebalancing: NodeJS.Timeout | undefined;

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
      this.active.push(new ActiveCondition(work, sink, resolve));
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
    const expire = (): void => void slot.retire(0, { reason: 'timed-out', limitMs: timeoutMs });
    const timer = setTimeout(expire, timeoutMs);
    const answer = await slot.verify(verify);
    clearTimeout(timer);
    this.dispatch();
    return answer.type === 'verified' ? { verdict: answer.verdict } : { failure: answer.failure };
  }

  /** Stops a condition: what runs is interrupted, what waits is dropped. */
  async cancel(id: string): Promise<void> {
    const active = this.active.find((candidate) => candidate.work.job.id === id);
    if (active === undefined) return;
    active.stopped = true;
    // One that could not be taken back has begun, though its worker has not said so yet.
    const begun = this.slots.filter((slot) => slot.takeBack(active));
    const busy = this.slots.filter((slot) => slot.chunk?.active === active || begun.includes(slot));
    await Promise.all(busy.map((slot) => slot.retire(GRACE_MS)));
    this.finish(active);
  }

  /** Ends every worker. Steps that are running first see their signal. */
  async close(): Promise<void> {
    this.closed = true;
    this.patience.end();
    clearTimeout(this.rebalancing);
    for (const active of this.active) active.stopped = true;
    await Promise.all(
      this.slots.map((slot) =>
        slot.isIdle ? slot.close() : slot.retire(slot.chunk === undefined ? 0 : GRACE_MS),
      ),
    );
    for (const active of [...this.active]) this.finish(active);
  }

  /**
   * Tells what is over, and hands out what waits. Loading modules costs more than many a replicate: first comes what an idle worker has
   * loaded, then what nobody has, then anything; and what is left then goes to busy workers, so that none waits for its next chunk.
   */
  private dispatch(): void {
    if (this.closed) return;
    for (const active of this.active.filter(({ isOver }) => isOver)) this.finish(active);
    for (const choice of CHOICES) {
      for (const active of [...this.active]) {
        while (active.wantsWorker) {
          const slot = this.slotFor(active, choice);
          if (slot === undefined) break;
          this.assign(slot, active);
        }
      }
    }
    for (const idle of this.slots.filter((slot) => slot.isIdle)) this.help(idle);
  }

  private slotFor(active: ActiveCondition, choice: (typeof CHOICES)[number]): Slot | undefined {
    const { job, workers } = active.work;
    const own = this.serving(active);
    const kind = kindOf(job.worker);
    if (choice === 'ahead') {
      // While another worker may be idle or started, it would be better off there.
      const isFull = this.slots.length >= this.size && !this.slots.some((slot) => slot.isIdle);
      const able = own.length >= workers ? own : isFull ? this.ofKind(kind) : [];
      return able.find((slot) => slot.takesOne);
    }
    if (own.length >= workers) return shortestQueue(own);
    if (choice === 'any') return this.idleOrOpened(job.worker);
    const owners = this.ofKind(kind).filter((slot) => slot.loaded.has(job.experiment));
    if (choice === 'loaded') return owners.find((slot) => slot.isIdle) ?? shortestQueue(owners);
    return owners.length === 0 ? this.idleOrOpened(job.worker) : undefined;
  }

  private idleOrOpened(spec: WorkerSpec): Slot | undefined {
    const idle = this.idleOf(spec);
    if (idle !== undefined) return idle;
    if (this.slots.length < this.size && this.paysToOpen(spec)) return this.open(spec);
    const queue = shortestQueue(this.ofKind(kindOf(spec)));
    if (queue !== undefined || this.slots.length < this.size) return queue;
    // One of another kind makes room; when it is gone, work is dealt out again.
    const other = this.slots.find((slot) => slot.isIdle);
    if (other !== undefined && !this.slots.some(({ retiring }) => retiring)) void other.close();
    return undefined;
  }

  private paysToOpen(spec: WorkerSpec): boolean {
    const others = (): Slot[] => this.ofKind(kindOf(spec)).filter(({ retiring }) => !retiring);
    let ahead = 0;
    for (const active of this.active) ahead += active.ahead;
    return this.patience.pays(others, ahead);
  }

  private open(spec: WorkerSpec): Slot {
    const slot = new Slot(spec, this.createWorker, {
      received: (from, message) => this.receive(from, message),
      lost: (from, how) => this.lose(from, how),
    });
    this.slots.push(slot);
    return slot;
  }

  private assign(slot: Slot, active: ActiveCondition): void {
    const { jobs, concurrency } = active.take(this.size);
    slot.send(active, jobs, concurrency);
    if (slot.queue.length > 0) this.rebalancing ??= setTimeout(() => this.rebalance(), REBALANCE_MS);
  }

  /** A worker with nothing to do takes over what another one was sent ahead and has not begun. */
  private help(idle: Slot): void {
    for (const slot of this.slots) {
      const active = slot.queue[0]?.active;
      if (active === undefined || slot.kind !== idle.kind || slot.isShort) continue;
      if (this.serving(active).length >= active.work.workers) continue;
      slot.takeBack();
      if (active.wantsWorker) this.assign(idle, active);
      return;
    }
  }

  /** Others may have nothing to do while a chunk takes longer than those before it. */
  private rebalance(): void {
    this.rebalancing = undefined;
    for (const slot of this.slots) {
      if (slot.chunk === undefined || performance.now() - slot.chunk.startedAt < REBALANCE_MS) continue;
      if (slot.isShort) slot.slowDown();
    }
    if (this.slots.some(({ queue }) => queue.length > 0))
      this.rebalancing = setTimeout(() => this.rebalance(), REBALANCE_MS);
    this.dispatch();
  }

  private receive(slot: Slot, message: FromWorker): void {
    if (message.type === 'verified' || message.type === 'verify-failed') {
      slot.verified(message);
      return;
    }
    if (message.type === 'uncaught') {
      slot.fault ??= { reason: 'uncaught', error: message.error };
      return;
    }
    const chunk = slot.chunkOf(message);
    if (chunk === undefined || (slot.retiring && !chunk.countsWhileRetiring(message))) return;
    const { active } = chunk;
    switch (message.type) {
      case 'batch-started':
        slot.bound(chunk);
        return;
      case 'replicate-started':
        slot.started(chunk, message.replicate);
        return;
      case 'call-started':
        chunk.calls.set(message.replicate, message.call);
        return;
      case 'replicate-finished':
        if (chunk.settle(message.replicate) && !active.stopped) active.sink.finished(message);
        return;
      case 'replicate-failed': {
        const job = chunk.settle(message.replicate);
        if (job !== undefined) active.fail(job, message.failure);
        return;
      }
      case 'log':
        active.sink.log(message.replicate, message.text);
        return;
      case 'observed':
        active.sink.observed(message.reads);
        return;
      case 'batch-failed':
        slot.release();
        active.giveUp(message.failure);
        this.dispatch();
        return;
      case 'batch-skipped':
        slot.drop();
        this.dispatch();
        return;
      case 'batch-finished': {
        if (chunk.pending.size > 0) {
          void slot.retire(0, { reason: 'worker-exited', how: 'it left a replicate without an answer' });
          return;
        }
        const ms = performance.now() - chunk.startedAt;
        slot.keepPace(ms);
        active.adapt(chunk.size, ms);
        slot.release();
        this.dispatch();
        return;
      }
    }
  }

  private lose(slot: Slot, how: string): void {
    this.slots.splice(this.slots.indexOf(slot), 1);
    // Whoever ends a tree of processes begins with its leaves: a new worker would only be in the way.
    if (how.startsWith(TERMINATED) && !slot.retiring) void this.close();
    const failure = slot.fault ?? { reason: 'worker-exited', how };
    slot.verified({ type: 'verify-failed', failure });
    const { chunk } = slot;
    if (chunk === undefined) {
      this.dispatch();
      return;
    }
    slot.takeBack();
    // What it has begun without saying so was lost with what it had to say.
    for (const { active, pending } of slot.queue.splice(0)) {
      active.chunks--;
      active.putBackBegun(pending.values());
    }
    slot.release();
    blame(slot, chunk, failure);
    this.dispatch();
  }

  private finish(active: ActiveCondition): void {
    const at = this.active.indexOf(active);
    if (at < 0) return;
    this.active.splice(at, 1);
    active.resolve();
  }

  private serving(active: ActiveCondition): Slot[] {
    return this.slots.filter((slot) => slot.serves(active));
  }

  private ofKind(kind: string): Slot[] {
    return this.slots.filter((slot) => slot.kind === kind);
  }

  private idleOf(spec: WorkerSpec): Slot | undefined {
    const kind = kindOf(spec);
    return this.slots.find((slot) => slot.kind === kind && slot.isIdle);
  }
}
