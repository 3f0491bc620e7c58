import { setMaxListeners } from 'node:events';
import { join, sep } from 'node:path';
import { sha256 } from '../base/digest.ts';
import { ChangeWatch, LookingTime } from '../io/change-watch.ts';
import { ConditionFolder, readKey, removeShards } from '../io/condition-folder.ts';
import { digestRead } from '../io/digest-file.ts';
import { stateOf } from '../io/file-states.ts';
import { Fingerprints } from '../io/fingerprint.ts';
import { isOfMachine } from '../io/machine-folders.ts';
import { relativePath } from '../io/paths.ts';
import type { Interpreters } from '../io/python.ts';
import { RunOrigin } from '../io/run-origin.ts';
import type { Untouched } from '../io/untouched.ts';
import { conditionKey } from '../store/components.ts';
import { ranges, spans } from '../store/explain.ts';
import type { RunStore, StoredReplicate } from '../store/store.ts';
import type { WorkerPool } from '../workers/pool.ts';
import type { ObservedRead, WorkerSpec } from '../workers/protocol.ts';
import type { PoolSink } from '../workers/slot.ts';
import { DiscoveredReads } from './discovered-reads.ts';
import type { ConditionOutcome, ConditionStatus, FailedReplicate, RunEvent } from './events.ts';
import { describeFailure, ReplicateError, type RunFailure, stackOf } from './failures.ts';
import { conditionJob, workerOf } from './jobs.ts';
import type { ReplicateRecord } from './manifest.ts';
import { mergeShards } from './merge.ts';
import { isInline, type PlannedCondition, placeOf, replicateSeed, replicatesOf } from './plan.ts';
import { ConditionReuse, historyName, StoreTrouble } from './reuse.ts';
import { failureOf } from './thrown.ts';
import { UnnoticedFiles } from './unnoticed-files.ts';
import { UpstreamArtifacts, type UpstreamDigests } from './upstream.ts';
import {
  inputWithoutFiles,
  isResult,
  readOutside,
  undeclaredReads,
  undeclaredVariable,
  Warnings,
} from './warnings.ts';

export interface RunOptions {
  /** Absolute path that the folders of the plan are relative to. */
  readonly root: string;
  /** The root whose installed packages are used. Default: the same. */
  readonly installedAt?: string | undefined;
  readonly pool: WorkerPool;
  /** Most worker processes of one condition when its experiment does not say. */
  readonly workers: number;
  /** The Pythons of the workspace. */
  readonly interpreters: Interpreters;
  readonly signal: AbortSignal;
  /** Stop everything at the first replicate that fails for good. */
  readonly failFast: boolean;
  /** Where finished replicates are kept; undefined: nothing is reused or kept. */
  readonly store: RunStore | undefined;
  /** `rerun` runs every replicate again, and keeps the new results. */
  readonly strategy: 'resume' | 'rerun';
  /** Run everything in this process that it can run. */
  readonly inline?: boolean;
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
  setMaxListeners(0, signal); // one for each condition that runs
  const outcomes = new Map<string, Promise<ConditionOutcome>>();
  const settle = new Map<string, (outcome: ConditionOutcome) => void>();
  for (const { id } of plan) outcomes.set(id, new Promise((resolve) => settle.set(id, resolve)));
  const { root, interpreters } = options;
  const fingerprints = new Fingerprints(root, interpreters, options.installedAt);
  const shared: Shared = {
    ...options,
    signal,
    upstream: new UpstreamArtifacts(root, options.store),
    fingerprints,
    origin: new RunOrigin(root, interpreters, fingerprints.finder),
    reads: new DiscoveredReads({
      digestOf: (path) => digestRead(join(root, path)),
      stateOf: (path) => stateOf(join(root, path)),
    }),
    looking: new LookingTime(),
    unnoticed: new UnnoticedFiles(root),
    warnings: new Warnings(options.onEvent),
    storeTrouble: new StoreTrouble((planned, why) =>
      options.onEvent({
        type: 'warning',
        planned,
        text: `finished replicates are no longer kept in the run store, and would run again: ${why}`,
      }),
    ),
  };
  await warmUp(plan[0], shared);
  const turns = new Turns(4 * options.workers + 8);
  for (const planned of plan) {
    void (async () => {
      const upstream = await Promise.all(planned.waitsFor.map((id) => outcomes.get(id)));
      const blocker = upstream.find((other) => other?.status !== 'succeeded');
      const finished = await (blocker || signal.aborted
        ? notRun(planned, blocker?.planned.id)
        : turns.take(() => (signal.aborted ? notRun(planned, undefined) : runOrMerge(planned, shared))));
      options.onEvent({ type: 'condition-finished', outcome: finished });
      if (options.failFast && finished.status === 'failed') stop.abort();
      settle.get(planned.id)?.(finished);
    })();
  }
  const stopping = (): void => options.onEvent({ type: 'stopping', kept: options.store !== undefined });
  options.signal.addEventListener('abort', stopping, { once: true });
  const all = await Promise.all(outcomes.values());
  options.signal.removeEventListener('abort', stopping);
  await shared.unnoticed.tell(shared.warnings);
  await options.store?.tidy().catch(() => {});
  return all;
}

/** A thread that will be needed starts while the first conditions are prepared. */
async function warmUp(first: PlannedCondition | undefined, shared: Shared): Promise<void> {
  const { store, strategy, inline, fingerprints, pool } = shared;
  if (first === undefined || inline || isInline(first)) return;
  // What has run before may have nothing to do.
  const { experiment } = first;
  if (strategy === 'resume' && (await store?.readHistory(experiment, historyName(first)).catch(() => {})))
    return;
  if (await fingerprints.isSelfContained(first).catch(() => false)) pool.warm({ type: 'thread' });
}

function runOrMerge(planned: PlannedCondition, shared: Shared): Promise<ConditionOutcome> {
  return planned.merges === undefined
    ? new ConditionRun(planned, shared).run()
    : mergeShards(planned, planned.merges, shared);
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

const INLINE = { type: 'inline' } as const;

/** What the conditions of one run have in common. */
interface Shared extends RunOptions {
  readonly upstream: UpstreamArtifacts;
  readonly fingerprints: Fingerprints;
  readonly storeTrouble: StoreTrouble;
  readonly reads: DiscoveredReads;
  readonly looking: LookingTime;
  readonly unnoticed: UnnoticedFiles;
  readonly warnings: Warnings;
  readonly origin: RunOrigin;
}

class ConditionRun implements PoolSink {
  private readonly records: ReplicateRecord[] = [];
  private readonly failures: FailedReplicate[] = [];
  private startedAt = Date.now();
  /** What was said of the condition as a whole. */
  private readonly told = new Set<string>();
  /** Artifacts on their way into the store. */
  private keeping: Promise<void> = Promise.resolve();
  private folder: ConditionFolder | undefined;
  private reuse: ConditionReuse | undefined;
  private watch: ChangeWatch | undefined;
  /** In the experiment's folder, and not declared. */
  private readonly readWithin: string[] = [];
  private reused = 0;
  private ranMs = 0;
  private ran = 0;

  constructor(
    private readonly planned: PlannedCondition,
    private readonly shared: Shared,
  ) {}

  async run(): Promise<ConditionOutcome> {
    const { planned, shared } = this;
    const { pool, signal } = shared;
    const cancel = (): void => void pool.cancel(planned.id);
    try {
      const upstream = await this.checkUpstream();
      const inPlace = await this.nothingToDo(upstream);
      if (inPlace !== undefined) return { ...this.outcome('succeeded'), manifest: inPlace.manifest };
      shared.origin.begin();
      await this.warnOfInputs();
      const { folder, name } = placeOf(planned);
      this.folder = await ConditionFolder.create(join(shared.root, folder), name);
      const toRun = await this.takeFromStore(this.folder);
      signal.addEventListener('abort', cancel, { once: true });
      const changed = signal.aborted ? [] : await this.runReplicates(this.folder, toRun);
      if (signal.aborted || pool.isClosed) {
        await this.remember(undefined);
        await this.folder.discard();
        return this.outcome('aborted');
      }
      if (changed.length > 0) throw new ReplicateError({ reason: 'changed-while-running', paths: changed });
      return await this.publish(this.folder);
    } catch (thrown) {
      this.conditionFailed(failureOf(thrown, planned, shared.root));
      await this.reuse?.abandon();
      await this.folder?.discard().catch(() => {});
      return this.outcome('failed');
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  finished({ replicate, ms, metrics, artifacts }: Parameters<PoolSink['finished']>[0]): void {
    const record = { replicate, seed: replicateSeed(this.planned.seed, replicate), metrics, artifacts };
    this.records.push(record);
    this.ran++;
    this.ranMs += ms;
    this.folder?.record({ type: 'replicate', replicate, ms });
    const { folder, reuse, watch } = this;
    // Without a store nothing is kept: one look in the end is enough.
    if (folder && reuse) watch?.letThrough(() => this.keep(reuse, record, ms, folder.artifacts));
    this.shared.onEvent({ type: 'replicate-finished', planned: this.planned, replicate, record });
  }

  failed(replicate: number, failure: RunFailure, retrying: boolean): void {
    const { planned, shared } = this;
    if (!retrying) {
      this.failures.push({ replicate, failure });
      this.folder?.removeReplicate(replicate);
    }
    const stack = stackOf(failure);
    this.folder?.record({ type: 'failure', replicate, retrying, message: describeFailure(failure), stack });
    shared.onEvent({ type: 'replicate-failed', planned, replicate, failure, retrying });
    if (shared.failFast && !retrying) void shared.pool.cancel(planned.id);
  }

  conditionFailed(failure: RunFailure): void {
    this.failures.push({ replicate: undefined, failure });
  }

  began(): void {
    this.startedAt = Date.now();
  }

  observed(reads: readonly ObservedRead[]): void {
    const { planned, shared, reuse } = this;
    if (reuse === undefined) return;
    const isInside = ({ path }: ObservedRead): boolean => path.startsWith(shared.root + sep);
    const untracked = reads
      .filter(isInside)
      .map(({ path, state }) => ({ path: relativePath(shared.root, path), state }))
      .filter(({ path }) => !reuse.covers(path));
    const fresh = shared.reads.add(reuse.reader, untracked);
    // Nx hashes what lies in the experiment's folder, but for results and what it does not see.
    const isHashed = (path: string): boolean =>
      path.startsWith(`${planned.folder}/`) && !isResult(planned, path);
    this.readWithin.push(...fresh.filter(isHashed));
    const told = fresh.filter((path) => !isHashed(path) && !reuse.holdsInputs(path));
    for (const warning of undeclaredReads(planned, told)) shared.warnings.tell(planned, warning);
    const outside = reads.find((read) => !isInside(read) && !isOfMachine(read.path));
    if (outside !== undefined) shared.warnings.tell(planned, readOutside(outside.path));
  }

  log(replicate: number | undefined, text: string): void {
    if (replicate === undefined) {
      // Every worker that binds the condition says the same.
      if (this.told.has(text)) return;
      this.told.add(text);
    }
    this.folder?.record({ type: 'log', replicate, text });
    this.shared.onEvent({ type: 'log', planned: this.planned, replicate, text });
  }

  private checkUpstream(): Promise<UpstreamDigests[]> {
    const { planned, shared } = this;
    return shared.upstream.digestsOf(planned, (path) =>
      shared.onEvent({
        type: 'warning',
        planned,
        text: `${path} was damaged, and is restored from the store`,
      }),
    );
  }

  /** Opens the store for this condition. @returns its results, if they lie in place already */
  private async nothingToDo(upstream: readonly UpstreamDigests[]): Promise<Untouched | undefined> {
    const { planned, shared } = this;
    if (shared.store === undefined || isInline(planned)) return undefined;
    this.reuse = await ConditionReuse.open(planned, shared.store, shared.fingerprints, upstream);
    if (shared.strategy === 'rerun') return undefined;
    const { folder, name } = placeOf(planned);
    const place = join(shared.root, folder);
    const inPlace = await this.reuse.inPlace(place, name);
    if (inPlace === undefined) return undefined;
    if (planned.shard !== undefined && readKey(place, name) !== (await this.key())) return undefined;
    await this.tidyShards();
    this.reused = replicatesOf(planned).length;
    shared.onEvent({ type: 'condition-started', planned, reused: this.reused, reasons: [] });
    // Every artifact has just been read and compared with it.
    if (planned.shard === undefined && inPlace.manifest) shared.upstream.made(inPlace.manifest);
    return inPlace;
  }

  /** What is misspelled or not declared is not noticed when it changes. */
  private async warnOfInputs(): Promise<void> {
    const { planned, shared } = this;
    for (const glob of await shared.fingerprints.inputsWithoutFiles(planned))
      shared.warnings.tell(planned, inputWithoutFiles(glob));
    for (const [name, file] of await shared.fingerprints.undeclaredVariables(planned))
      shared.warnings.tell(planned, undeclaredVariable(name, file));
  }

  private async remember(published: string | undefined): Promise<void> {
    const msPerReplicate = this.ran > 0 ? this.ranMs / this.ran : undefined;
    await this.reuse?.close(this.failedReplicates(), msPerReplicate, published);
  }

  /** Puts what the store has into the folder. @returns the replicates that have to run */
  private async takeFromStore(folder: ConditionFolder): Promise<readonly number[]> {
    const { planned, shared } = this;
    const all = replicatesOf(planned);
    if (this.reuse === undefined) {
      shared.onEvent({ type: 'condition-started', planned, reused: undefined, reasons: [] });
      return all;
    }
    const rerun = shared.strategy === 'rerun';
    const decision = await this.reuse.decide();
    const reused = rerun ? new Map<number, StoredReplicate>() : decision.reused;
    const reasons = rerun ? ['asked to'] : decision.reasons;
    const problems = await this.reuse.restore(reused, folder.artifacts);
    for (const [replicate, { metrics, artifacts }] of reused) {
      if (problems.has(replicate)) continue;
      this.records.push({ replicate, seed: replicateSeed(planned.seed, replicate), metrics, artifacts });
    }
    this.reused = this.records.length;
    if (this.reused > 0)
      folder.record({ type: 'reused', replicates: spans(this.records.map((r) => r.replicate)) });
    for (const [replicate, text] of problems) {
      folder.removeReplicate(replicate);
      shared.onEvent({ type: 'warning', planned, text: `replicate ${replicate} runs again: ${text}` });
    }
    const damaged =
      problems.size > 0 ? [`${ranges([...problems.keys()].sort((a, b) => a - b))} damaged in the store`] : [];
    shared.onEvent({
      type: 'condition-started',
      planned,
      reused: this.reused,
      reasons: [...reasons, ...damaged],
    });
    return all.filter((replicate) => !reused.has(replicate) || problems.has(replicate));
  }

  /** @returns files that were written to meanwhile: results could be of either version */
  private async runReplicates(folder: ConditionFolder, toRun: readonly number[]): Promise<readonly string[]> {
    const { planned, shared, reuse } = this;
    const { pool, looking, fingerprints } = shared;
    const work = await this.work(folder, toRun);
    // It cannot end well any more.
    const giveUp = (): void => void pool.cancel(planned.id);
    if (toRun.length > 0 && !isInline(planned)) {
      const key = reuse?.components ?? (await fingerprints.components(planned));
      const look = await fingerprints.watch(planned, key);
      this.watch = new ChangeWatch(look, looking, giveUp);
    }
    let changed: readonly string[] = [];
    try {
      await pool.run(work, this);
    } finally {
      changed = this.watch?.now() ?? [];
      await this.keeping;
    }
    if (reuse !== undefined && toRun.length > 0)
      shared.unnoticed.note(planned, reuse.components, this.readWithin);
    return changed;
  }

  private keep(reuse: ConditionReuse, record: ReplicateRecord, ms: number, artifacts: string): void {
    const { shared } = this;
    const reads = shared.reads.of(reuse.reader);
    if (Object.keys(record.artifacts).length === 0 && reads === undefined) {
      void reuse.keep(record, ms, artifacts, shared.storeTrouble);
      return;
    }
    this.keeping = this.keeping.then(async () => {
      const { digests, trouble } = (await reads) ?? {};
      if (trouble !== undefined) shared.warnings.tell(this.planned, trouble);
      if (reads === undefined || digests !== undefined)
        return reuse.keep(record, ms, artifacts, shared.storeTrouble, digests);
      reuse.distrust();
    });
  }

  private async work(folder: ConditionFolder, toRun: readonly number[]) {
    const { planned, shared } = this;
    const { concurrency, timeoutMs, retries, workers } = planned.execution;
    const { finder } = shared.fingerprints;
    const own = isInline(planned)
      ? INLINE
      : await workerOf(planned, shared.root, shared.interpreters, finder);
    const worker = own.type === 'node' ? await this.nodeWorker() : own;
    return {
      job: conditionJob(planned, shared.root, folder.artifacts, worker, finder),
      replicates: toRun.map((replicate) => ({ replicate, seed: replicateSeed(planned.seed, replicate) })),
      workers: workers ?? shared.workers,
      concurrency,
      timeoutMs,
      retries,
    };
  }

  private async nodeWorker(): Promise<WorkerSpec> {
    const { planned, shared } = this;
    if (shared.inline) return INLINE;
    return { type: (await shared.fingerprints.isSelfContained(planned)) ? 'thread' : 'node' };
  }

  private async publish(folder: ConditionFolder): Promise<ConditionOutcome> {
    const { planned, shared, records, failures } = this;
    const reasons = new Map(failures.map(({ replicate, failure }) => [replicate, describeFailure(failure)]));
    const failed = this.failedReplicates().map((replicate) => ({
      replicate,
      seed: replicateSeed(planned.seed, replicate),
      reason: reasons.get(replicate) ?? reasons.get(undefined) ?? 'not run',
    }));
    const { experiment, condition } = planned;
    const manifest = { experiment, condition, replicates: records, failed };
    folder.record(await shared.origin.entryOf(planned, this.reuse?.components));
    folder.record({
      type: 'condition',
      startedAt: new Date(this.startedAt).toISOString(),
      ms: Date.now() - this.startedAt,
      reused: this.reused,
    });
    if (planned.shard !== undefined && !isInline(planned)) folder.writeKey(await this.key());
    const published = await folder.publish(manifest);
    await this.tidyShards();
    await this.remember(failed.length > 0 ? undefined : published);
    // Nobody reads a shard but who puts it together with the others.
    if (planned.shard === undefined) shared.upstream.made(manifest);
    return { ...this.outcome(failures.length + failed.length > 0 ? 'failed' : 'succeeded'), manifest };
  }

  /** That of a shard's results: those of other keys are not put together with them. */
  private async key(): Promise<string> {
    const { reuse, shared, planned } = this;
    const own = reuse?.key ?? conditionKey(await shared.fingerprints.components(planned));
    const offered = await shared.upstream.offered(planned);
    return offered.length === 0 ? own : sha256([own, ...offered].join());
  }

  /** Results of shards are of no use beside those of the whole condition. */
  private async tidyShards(): Promise<void> {
    const { planned, shared } = this;
    if (planned.shard === undefined)
      await removeShards(join(shared.root, planned.results), planned.condition, undefined);
  }

  /** Every replicate without a result, ascending. */
  private failedReplicates(): number[] {
    const all = replicatesOf(this.planned);
    if (this.records.length === all.length) return [];
    const finished = new Set(this.records.map(({ replicate }) => replicate));
    return all.filter((replicate) => !finished.has(replicate));
  }

  private outcome(status: ConditionStatus): ConditionOutcome {
    const { planned, failures, startedAt, reused } = this;
    const sorted = [...failures].sort((a, b) => (a.replicate ?? -1) - (b.replicate ?? -1));
    return {
      planned,
      status,
      failures: sorted,
      blockedBy: undefined,
      reused,
      startedAt,
      endedAt: Date.now(),
      manifest: undefined,
    };
  }
}
