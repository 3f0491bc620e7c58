import { join, sep } from 'node:path';
import { sha256 } from '../../base/digest.ts';
import { ChangeWatch } from '../../io/changes/change-watch.ts';
import type { Untouched } from '../../io/changes/untouched.ts';
import { relativePath } from '../../io/paths.ts';
import { ConditionFolder, readKey, removeShards } from '../../io/writing/condition-folder.ts';
import { isOfMachine } from '../../io/writing/machine-folders.ts';
import { conditionKey } from '../../store/components.ts';
import { ranges, spans } from '../../store/explain.ts';
import type { StoredReplicate } from '../../store/store.ts';
import type { PoolSink } from '../../workers/pool/work.ts';
import type { ObservedRead, WorkerSpec } from '../../workers/protocol.ts';
import type { ConditionOutcome, ConditionStatus, FailedReplicate } from '../events.ts';
import { describeFailure, ReplicateError, type RunFailure, stackOf } from '../failures.ts';
import type { ReplicateRecord } from '../manifest.ts';
import { isInline, type PlannedCondition, placeOf, replicateSeed, replicatesOf } from '../plan.ts';
import { mayBeDivided } from '../shards.ts';
import {
  inputWithoutFiles,
  isResult,
  readOutside,
  undeclaredReads,
  undeclaredVariable,
} from '../warnings.ts';
import { conditionJob, workerOf } from './jobs.ts';
import { ConditionReuse } from './reuse.ts';
import type { RunContext } from './run-context.ts';
import { failureOf } from './thrown.ts';
import type { UpstreamDigests } from './upstream.ts';

const INLINE = { type: 'inline' } as const;

/** One condition, or one shard of it, from what the store has to its results in place. */
export class ConditionRun implements PoolSink {
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
    private readonly context: RunContext,
  ) {}

  async run(): Promise<ConditionOutcome> {
    const { planned, context } = this;
    const { pool, signal } = context;
    const cancel = (): void => void pool.cancel(planned.id);
    try {
      const upstream = await this.checkUpstream();
      const inPlace = await this.nothingToDo(upstream);
      if (inPlace !== undefined) return { ...this.outcome('succeeded'), manifest: inPlace.manifest };
      context.origin.begin();
      await this.warnOfInputs();
      const { folder, name } = placeOf(planned);
      this.folder = await ConditionFolder.create(join(context.root, folder), name);
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
      this.conditionFailed(failureOf(thrown, planned, context.root));
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
    this.context.onEvent({ type: 'replicate-finished', planned: this.planned, replicate, record });
  }

  failed(replicate: number, failure: RunFailure, retrying: boolean): void {
    const { planned, context } = this;
    if (!retrying) {
      this.failures.push({ replicate, failure });
      this.folder?.removeReplicate(replicate);
    }
    const stack = stackOf(failure);
    this.folder?.record({ type: 'failure', replicate, retrying, message: describeFailure(failure), stack });
    context.onEvent({ type: 'replicate-failed', planned, replicate, failure, retrying });
    if (context.failFast && !retrying) void context.pool.cancel(planned.id);
  }

  conditionFailed(failure: RunFailure): void {
    this.failures.push({ replicate: undefined, failure });
  }

  began(): void {
    this.startedAt = Date.now();
  }

  observed(reads: readonly ObservedRead[]): void {
    const { planned, context, reuse } = this;
    if (reuse === undefined) return;
    const isInside = ({ path }: ObservedRead): boolean => path.startsWith(context.root + sep);
    const untracked = reads
      .filter(isInside)
      .map(({ path, state }) => ({ path: relativePath(context.root, path), state }))
      .filter(({ path }) => !reuse.covers(path));
    const fresh = context.reads.add(reuse.reader, untracked);
    // Nx hashes what lies in the experiment's folder, but for results and what it does not see.
    const isHashed = (path: string): boolean =>
      path.startsWith(`${planned.folder}/`) && !isResult(planned, path);
    this.readWithin.push(...fresh.filter(isHashed));
    const told = fresh.filter((path) => !isHashed(path) && !reuse.holdsInputs(path));
    for (const warning of undeclaredReads(planned, told)) context.warnings.tell(planned, warning);
    const outside = reads.find((read) => !isInside(read) && !isOfMachine(read.path));
    if (outside !== undefined) context.warnings.tell(planned, readOutside(outside.path));
  }

  log(replicate: number | undefined, text: string): void {
    if (replicate === undefined) {
      // Every worker that binds the condition says the same.
      if (this.told.has(text)) return;
      this.told.add(text);
    }
    this.folder?.record({ type: 'log', replicate, text });
    this.context.onEvent({ type: 'log', planned: this.planned, replicate, text });
  }

  private checkUpstream(): Promise<UpstreamDigests[]> {
    const { planned, context } = this;
    return context.upstream.digestsOf(planned, (path) =>
      context.onEvent({
        type: 'warning',
        planned,
        text: `${path} was damaged, and is restored from the store`,
      }),
    );
  }

  /** Opens the store for this condition. @returns its results, if they lie in place already */
  private async nothingToDo(upstream: readonly UpstreamDigests[]): Promise<Untouched | undefined> {
    const { planned, context } = this;
    if (context.store === undefined || isInline(planned)) return undefined;
    this.reuse = await ConditionReuse.open(planned, context.store, context.fingerprints, upstream);
    if (context.strategy === 'rerun') return undefined;
    const { folder, name } = placeOf(planned);
    const place = join(context.root, folder);
    const inPlace = await this.reuse.inPlace(place, name);
    if (inPlace === undefined) return undefined;
    if (planned.shard !== undefined && readKey(place, name) !== (await this.key())) return undefined;
    await this.tidyShards();
    this.reused = replicatesOf(planned).length;
    context.onEvent({ type: 'condition-started', planned, reused: this.reused, reasons: [] });
    // Every artifact has just been read and compared with it.
    if (planned.shard === undefined && inPlace.manifest) context.upstream.made(inPlace.manifest);
    return inPlace;
  }

  /** What is misspelled or not declared is not noticed when it changes. */
  private async warnOfInputs(): Promise<void> {
    const { planned, context } = this;
    for (const glob of await context.fingerprints.inputsWithoutFiles(planned))
      context.warnings.tell(planned, inputWithoutFiles(glob));
    for (const [name, file] of await context.fingerprints.undeclaredVariables(planned))
      context.warnings.tell(planned, undeclaredVariable(name, file));
  }

  private async remember(published: string | undefined): Promise<void> {
    const msPerReplicate = this.ran > 0 ? this.ranMs / this.ran : undefined;
    await this.reuse?.close(this.failedReplicates(), msPerReplicate, published);
  }

  /** Puts what the store has into the folder. @returns the replicates that have to run */
  private async takeFromStore(folder: ConditionFolder): Promise<readonly number[]> {
    const { planned, context } = this;
    const all = replicatesOf(planned);
    if (this.reuse === undefined) {
      context.onEvent({ type: 'condition-started', planned, reused: undefined, reasons: [] });
      return all;
    }
    const rerun = context.strategy === 'rerun';
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
      context.onEvent({ type: 'warning', planned, text: `replicate ${replicate} runs again: ${text}` });
    }
    const damaged =
      problems.size > 0 ? [`${ranges([...problems.keys()].sort((a, b) => a - b))} damaged in the store`] : [];
    context.onEvent({
      type: 'condition-started',
      planned,
      reused: this.reused,
      reasons: [...reasons, ...damaged],
    });
    return all.filter((replicate) => !reused.has(replicate) || problems.has(replicate));
  }

  /** @returns files that were written to meanwhile: results could be of either version */
  private async runReplicates(folder: ConditionFolder, toRun: readonly number[]): Promise<readonly string[]> {
    const { planned, context, reuse } = this;
    const { pool, looking, fingerprints } = context;
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
      context.unnoticed.note(planned, reuse.components, this.readWithin);
    return changed;
  }

  private keep(reuse: ConditionReuse, record: ReplicateRecord, ms: number, artifacts: string): void {
    const { context } = this;
    const reads = context.reads.of(reuse.reader);
    if (Object.keys(record.artifacts).length === 0 && reads === undefined) {
      void reuse.keep(record, ms, artifacts, context.storeTrouble);
      return;
    }
    this.keeping = this.keeping.then(async () => {
      const { digests, trouble } = (await reads) ?? {};
      if (trouble !== undefined) context.warnings.tell(this.planned, trouble);
      if (reads === undefined || digests !== undefined)
        return reuse.keep(record, ms, artifacts, context.storeTrouble, digests);
      reuse.distrust();
    });
  }

  private async work(folder: ConditionFolder, toRun: readonly number[]) {
    const { planned, context } = this;
    const { concurrency, timeoutMs, retries, workers } = planned.execution;
    const { finder } = context.fingerprints;
    const own = isInline(planned)
      ? INLINE
      : await workerOf(planned, context.root, context.interpreters, finder);
    const worker = own.type === 'node' ? await this.nodeWorker() : own;
    return {
      job: conditionJob(planned, context.root, folder.artifacts, worker, finder),
      replicates: toRun.map((replicate) => ({ replicate, seed: replicateSeed(planned.seed, replicate) })),
      workers: workers ?? context.workers,
      concurrency,
      timeoutMs,
      retries,
    };
  }

  private async nodeWorker(): Promise<WorkerSpec> {
    const { planned, context } = this;
    if (context.inline) return INLINE;
    return { type: (await context.fingerprints.isSelfContained(planned)) ? 'thread' : 'node' };
  }

  private async publish(folder: ConditionFolder): Promise<ConditionOutcome> {
    const { planned, context, records, failures } = this;
    const reasons = new Map(failures.map(({ replicate, failure }) => [replicate, describeFailure(failure)]));
    const failed = this.failedReplicates().map((replicate) => ({
      replicate,
      seed: replicateSeed(planned.seed, replicate),
      reason: reasons.get(replicate) ?? reasons.get(undefined) ?? 'not run',
    }));
    const { experiment, condition } = planned;
    const manifest = { experiment, condition, replicates: records, failed };
    folder.record(await context.origin.entryOf(planned, this.reuse?.components));
    folder.record({
      type: 'condition',
      startedAt: new Date(this.startedAt).toISOString(),
      ms: Date.now() - this.startedAt,
      reused: this.reused,
    });
    if (planned.shard !== undefined && !isInline(planned)) folder.writeKey(await this.key());
    const published = await folder.publish(manifest, planned.declaredReplicates);
    await this.tidyShards();
    await this.remember(failed.length > 0 ? undefined : published);
    // Nobody reads a shard but who puts it together with the others.
    if (planned.shard === undefined) context.upstream.made(manifest);
    return { ...this.outcome(failures.length + failed.length > 0 ? 'failed' : 'succeeded'), manifest };
  }

  /** That of a shard's results: those of other keys are not put together with them. */
  private async key(): Promise<string> {
    const { reuse, context, planned } = this;
    const own = reuse?.key ?? conditionKey(await context.fingerprints.components(planned));
    const offered = await context.upstream.offered(planned);
    return offered.length === 0 ? own : sha256([own, ...offered].join());
  }

  /**
   * Results of shards are of no use beside those of a condition that is not divided. Where it is, they are results of
   * tasks of their own, also when this run is not: Nx, which runs beside it, would keep an empty folder as their result.
   */
  private async tidyShards(): Promise<void> {
    const { planned, context } = this;
    if (planned.shard === undefined && !mayBeDivided(planned.execution))
      await removeShards(join(context.root, planned.results), planned.condition, undefined);
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
