import { join } from 'node:path';
import { ConditionFolder, conditionFolder } from '../io/condition-folder.ts';
import type { PoolSink, WorkerPool } from '../workers/pool.ts';
import type { ConditionOutcome, ConditionStatus, FailedReplicate, RunEvent } from './events.ts';
import { describeFailure, type ErrorInfo, type RunFailure } from './failures.ts';
import { conditionJob } from './jobs.ts';
import type { ReplicateRecord } from './manifest.ts';
import { type PlannedCondition, replicateSeed } from './plan.ts';

export interface RunOptions {
  /** Absolute path that the folders of the plan are relative to. */
  readonly root: string;
  readonly pool: WorkerPool;
  /** Most worker processes of one condition when its experiment does not say. */
  readonly workers: number;
  readonly signal: AbortSignal;
  /** Stop everything at the first replicate that fails for good. */
  readonly failFast: boolean;
  readonly onEvent: (event: RunEvent) => void;
}

/**
 * Runs a plan: each condition as soon as those that it reads have succeeded. Every condition gets an outcome; those
 * behind a failure are skipped. Never rejects because of the user's code or files.
 */
export async function runPlan(
  plan: readonly PlannedCondition[],
  options: RunOptions,
): Promise<ConditionOutcome[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const outcomes = new Map<string, Promise<ConditionOutcome>>();
  const settle = new Map<string, (outcome: ConditionOutcome) => void>();
  for (const { id } of plan) outcomes.set(id, new Promise((resolve) => settle.set(id, resolve)));
  const turns = new Turns(2 * options.workers + 2);
  for (const planned of plan) {
    void (async () => {
      const upstream = await Promise.all(planned.waitsFor.map((id) => outcomes.get(id)));
      const blocker = upstream.find((other) => other?.status !== 'succeeded');
      const finished = await (blocker || signal.aborted
        ? notRun(planned, blocker?.planned.id)
        : turns.take(() =>
            signal.aborted ? notRun(planned, undefined) : new ConditionRun(planned, options, signal).run(),
          ));
      options.onEvent({ type: 'condition-finished', outcome: finished });
      if (options.failFast && finished.status === 'failed') stop.abort();
      settle.get(planned.id)?.(finished);
    })();
  }
  return Promise.all(outcomes.values());
}

async function notRun(planned: PlannedCondition, blockedBy: string | undefined): Promise<ConditionOutcome> {
  const now = Date.now();
  const status = blockedBy === undefined ? 'aborted' : 'skipped';
  return { planned, status, failures: [], blockedBy, startedAt: now, endedAt: now, manifest: undefined };
}

/** Lets a few conditions at a time run: each holds a folder and a log open. First come, first served. */
class Turns {
  private readonly queue: (() => void)[] = [];

  constructor(private free: number) {}

  async take<T>(act: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.queue.push(resolve));
    try {
      return await act();
    } finally {
      const next = this.queue.shift();
      if (next) next();
      else this.free++;
    }
  }
}

class ConditionRun implements PoolSink {
  private readonly records: ReplicateRecord[] = [];
  private readonly failures: FailedReplicate[] = [];
  private readonly startedAt = Date.now();
  private folder: ConditionFolder | undefined;

  constructor(
    private readonly planned: PlannedCondition,
    private readonly options: RunOptions,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<ConditionOutcome> {
    const { planned, options, signal } = this;
    options.onEvent({ type: 'condition-started', planned });
    const cancel = (): void => void options.pool.cancel(planned.id);
    try {
      this.folder = await ConditionFolder.create(join(options.root, planned.folder), planned.condition);
      signal.addEventListener('abort', cancel, { once: true });
      if (!signal.aborted) await options.pool.run(this.work(this.folder), this);
      if (signal.aborted) {
        await this.folder.discard();
        return this.outcome('aborted');
      }
      return await this.publish(this.folder);
    } catch (thrown) {
      const error = thrown as NodeJS.ErrnoException;
      const path = conditionFolder(planned.folder, planned.condition);
      this.conditionFailed({ reason: 'results-unwritable', path, error: withoutPath(error) });
      await this.folder?.discard().catch(() => {});
      return this.outcome('failed');
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  finished({ replicate, ms, metrics, artifacts }: Parameters<PoolSink['finished']>[0]): void {
    const seed = replicateSeed(this.planned.seed, replicate);
    this.records.push({ replicate, seed, metrics, artifacts });
    this.folder?.record({ type: 'replicate', replicate, ms });
    this.options.onEvent({ type: 'replicate-finished', planned: this.planned, replicate });
  }

  failed(replicate: number, failure: RunFailure, retrying: boolean): void {
    const { planned, options } = this;
    if (!retrying) {
      this.failures.push({ replicate, failure });
      this.folder?.removeReplicate(replicate);
    }
    this.folder?.record({ type: 'failure', replicate, retrying, message: describeFailure(failure) });
    options.onEvent({ type: 'replicate-failed', planned, replicate, failure, retrying });
    if (options.failFast && !retrying) void options.pool.cancel(planned.id);
  }

  conditionFailed(failure: RunFailure): void {
    this.failures.push({ replicate: undefined, failure });
  }

  log(replicate: number | undefined, text: string): void {
    this.folder?.record({ type: 'log', replicate, text });
    this.options.onEvent({ type: 'log', planned: this.planned, replicate, text });
  }

  private work(folder: ConditionFolder) {
    const { planned, options } = this;
    const { concurrency, timeoutMs, retries, workers } = planned.execution;
    return {
      job: conditionJob(planned, options.root, folder.artifacts),
      replicates: Array.from({ length: planned.replicates }, (_, replicate) => ({
        replicate,
        seed: replicateSeed(planned.seed, replicate),
      })),
      workers: workers ?? options.workers,
      concurrency,
      timeoutMs,
      retries,
    };
  }

  private async publish(folder: ConditionFolder): Promise<ConditionOutcome> {
    const { planned, records, failures } = this;
    const reasons = new Map(failures.map(({ replicate, failure }) => [replicate, describeFailure(failure)]));
    const finished = new Set(records.map(({ replicate }) => replicate));
    const failed = Array.from({ length: planned.replicates }, (_, replicate) => replicate)
      .filter((replicate) => !finished.has(replicate))
      .map((replicate) => ({
        replicate,
        seed: replicateSeed(planned.seed, replicate),
        reason: reasons.get(replicate) ?? reasons.get(undefined) ?? 'not run',
      }));
    const { experiment, condition } = planned;
    const manifest = { experiment, condition, replicates: records, failed };
    folder.record({
      type: 'condition',
      startedAt: new Date(this.startedAt).toISOString(),
      ms: Date.now() - this.startedAt,
      node: process.version,
    });
    await folder.publish(manifest);
    return { ...this.outcome(failures.length + failed.length > 0 ? 'failed' : 'succeeded'), manifest };
  }

  private outcome(status: ConditionStatus): ConditionOutcome {
    const { planned, failures, startedAt } = this;
    const sorted = [...failures].sort((a, b) => (a.replicate ?? -1) - (b.replicate ?? -1));
    return {
      planned,
      status,
      failures: sorted,
      blockedBy: undefined,
      startedAt,
      endedAt: Date.now(),
      manifest: undefined,
    };
  }
}

/** The path in the message is that of a folder which is gone before anyone can look at it. */
function withoutPath({ name, message }: Error): ErrorInfo {
  return { name, message: message.replace(/, \w+ '.*'$/, ''), stack: '' };
}
