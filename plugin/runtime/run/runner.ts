import { setMaxListeners } from 'node:events';
import type { ConditionOutcome } from '../events.ts';
import { isInline, type PlannedCondition } from '../plan.ts';
import { workerTerminated } from '../warnings.ts';
import { ConditionRun } from './condition-run.ts';
import { mergeShards } from './merge.ts';
import { historyName } from './reuse.ts';
import { createRunContext, type RunContext, type RunOptions } from './run-context.ts';

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
  setMaxListeners(0, signal); // one for each condition that runs
  const outcomes = new Map<string, Promise<ConditionOutcome>>();
  const settle = new Map<string, (outcome: ConditionOutcome) => void>();
  for (const { id } of plan) outcomes.set(id, new Promise((resolve) => settle.set(id, resolve)));
  const run = createRunContext(options, signal);
  if (options.asItBegan) await readAhead(plan, run);
  await warmUp(plan[0], run);
  const turns = new Turns(4 * options.workers + 8);
  for (const planned of plan) {
    void (async () => {
      const upstream = await Promise.all(planned.waitsFor.map((id) => outcomes.get(id)));
      const blocker = upstream.find((other) => other?.status !== 'succeeded');
      const finished = await (blocker || signal.aborted
        ? notRun(planned, blocker?.planned.id)
        : turns.take(() => (signal.aborted ? notRun(planned, undefined) : runOrMerge(planned, run))));
      options.onEvent({ type: 'condition-finished', outcome: finished });
      if (options.failFast && finished.status === 'failed') stop.abort();
      settle.get(planned.id)?.(finished);
    })();
  }
  const stopping = (): void => options.onEvent({ type: 'stopping', kept: options.store !== undefined });
  options.signal.addEventListener('abort', stopping, { once: true });
  const all = await Promise.all(outcomes.values());
  options.signal.removeEventListener('abort', stopping);
  const stopped = all.find(({ status }) => status === 'aborted');
  // Whoever stops all of this ends the workers first, and then this process.
  if (stopped && options.pool.isClosed && !options.signal.aborted)
    run.warnings.tell(stopped.planned, workerTerminated());
  await run.unnoticed.tell(run.warnings);
  await options.store?.tidy().catch(() => {});
  return all;
}

/** What cannot be read is told by the condition that needs it. */
async function readAhead(plan: readonly PlannedCondition[], { fingerprints }: RunContext): Promise<void> {
  const conditions = plan.filter((planned) => planned.merges === undefined && !isInline(planned));
  await Promise.all(conditions.map((planned) => fingerprints.begin(planned).catch(() => {})));
}

/** A thread that will be needed starts while the first conditions are prepared. */
async function warmUp(first: PlannedCondition | undefined, run: RunContext): Promise<void> {
  const { store, strategy, inline, fingerprints, pool } = run;
  if (first === undefined || inline || isInline(first)) return;
  // What has run before may have nothing to do.
  const { experiment } = first;
  if (strategy === 'resume' && (await store?.readHistory(experiment, historyName(first)).catch(() => {})))
    return;
  if (await fingerprints.isSelfContained(first).catch(() => false)) pool.warm({ type: 'thread' });
}

function runOrMerge(planned: PlannedCondition, run: RunContext): Promise<ConditionOutcome> {
  return planned.merges === undefined
    ? new ConditionRun(planned, run).run()
    : mergeShards(planned, planned.merges, run);
}

async function notRun(planned: PlannedCondition, blockedBy: string | undefined): Promise<ConditionOutcome> {
  const now = Date.now();
  const status = blockedBy === undefined ? 'aborted' : 'skipped';
  return {
    planned,
    status,
    failures: [],
    blockedBy,
    reused: 0,
    startedAt: now,
    endedAt: now,
    manifest: undefined,
  };
}

/** Lets some conditions at a time run: each holds a folder and what the store has of it. First come, first served. */
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
