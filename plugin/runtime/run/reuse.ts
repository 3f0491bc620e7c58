import { join } from 'node:path';
import { type FileDigests, sha256 } from '../../base/digest.ts';
import { type Untouched, untouched } from '../../io/changes/untouched.ts';
import type { Fingerprints } from '../../io/code/fingerprint.ts';
import { artifactsFolder } from '../../io/writing/condition-folder.ts';
import { conditionKey, type KeyComponents, replicateKey } from '../../store/components.ts';
import { type ConditionHistory, explain, type Intention, onlyFailed } from '../../store/explain.ts';
import type { RunStore, Shelf, StoredReplicate } from '../../store/store.ts';
import type { Reader } from '../discovered-reads.ts';
import type { ReplicateRecord } from '../manifest.ts';
import { type PlannedCondition, replicateSeed, replicatesOf } from '../plan.ts';
import { SHARDS_FOLDER, shardName } from '../shards.ts';
import type { UpstreamDigests } from './upstream.ts';

/** Artifacts are put in place this many at a time. */
const RESTORING = 16;

/** What the store offers a condition, and what has to run. */
export interface ReuseDecision {
  readonly reused: ReadonlyMap<number, StoredReplicate>;
  readonly toRun: readonly number[];
  /** Why, in a few words each. */
  readonly reasons: readonly string[];
  /** What has to run is what failed the last time, and nothing has changed. */
  readonly onlyFailed: boolean;
  readonly msPerReplicate: number | undefined;
}

/**
 * A store that is full, read-only or gone costs no run its results: from the first failure on nothing more is kept, which
 * is told once. One for a run.
 */
export class StoreTrouble {
  private lost = false;

  constructor(private readonly tell: (planned: PlannedCondition, why: string) => void) {}

  /** Keeps something, unless that has failed before. Never rejects. */
  attempt(planned: PlannedCondition, keep: () => Promise<void>): Promise<void> {
    if (this.lost) return Promise.resolve();
    return keep().catch((error: Error) => {
      if (!this.lost) this.tell(planned, error.message);
      this.lost = true;
    });
  }
}

/** One condition's dealings with the store. */
export class ConditionReuse {
  readonly key: string;
  /** Opened when it is first needed. */
  private shelf: Shelf | undefined;
  /** What a replicate took of those that the store has. */
  private msOfReused: number | undefined;
  /** Something it read is not covered by its key: its results are checked one by one. */
  private hasReads = false;

  private constructor(
    private readonly planned: PlannedCondition,
    private readonly store: RunStore,
    private readonly fingerprints: Fingerprints,
    readonly components: KeyComponents,
    private readonly upstream: readonly UpstreamDigests[],
    private readonly before: ConditionHistory | undefined,
  ) {
    this.key = conditionKey(components);
  }

  static async open(
    planned: PlannedCondition,
    store: RunStore,
    fingerprints: Fingerprints,
    upstream: readonly UpstreamDigests[],
  ): Promise<ConditionReuse> {
    const components = await fingerprints.components(planned);
    const before = await historyOf(planned, store);
    return new ConditionReuse(planned, store, fingerprints, components, upstream, before);
  }

  /**
   * Looks whether the results that lie in place are those of the last run, and that run was this one: then there is nothing
   * to write. Every artifact is read and checked.
   *
   * @param folder absolute path of the folder that holds them
   * @param name theirs in it
   * @returns undefined when they are not
   */
  async inPlace(folder: string, name: string): Promise<Untouched | undefined> {
    const { before, planned } = this;
    if (before?.published === undefined) return undefined;
    const same =
      before.published.key === this.key &&
      before.seed === planned.seed &&
      before.replicates === planned.replicates &&
      JSON.stringify(before.upstream) === JSON.stringify(this.upstreamDigests());
    if (!same) return undefined;
    return untouched(
      folder,
      name,
      before.published.sha256,
      planned.outputs.length > 0 ? planned.declaredReplicates : undefined,
    );
  }

  /** Something was read that is not kept track of: these results are never taken for the next ones. */
  distrust(): void {
    this.hasReads = true;
  }

  /** Which replicates the store has. Looks, and changes nothing. */
  async decide(): Promise<ReuseDecision> {
    this.shelf ??= await this.store.shelf(this.key);
    const reused = new Map<number, StoredReplicate>();
    const toRun: number[] = [];
    const changedReads = new Set<string>();
    for (const replicate of replicatesOf(this.planned)) {
      const stored = this.shelf.get(this.keyOf(replicate));
      if (stored?.reads) this.hasReads = true;
      const changed = stored?.reads && (await this.changed(stored.reads));
      for (const path of changed ?? []) changedReads.add(path);
      if (stored === undefined || (changed && changed.length > 0)) toRun.push(replicate);
      else reused.set(replicate, stored);
    }
    const { before } = this;
    const times = [...reused.values()].map(({ ms }) => ms);
    if (times.length > 0) this.msOfReused = times.reduce((sum, ms) => sum + ms, 0) / times.length;
    const intention = this.intention(toRun, [...changedReads].sort());
    return {
      reused,
      toRun,
      reasons: explain(before, intention),
      onlyFailed: onlyFailed(before, intention),
      msPerReplicate: before?.msPerReplicate ?? this.msOfReused,
    };
  }

  private async changed(reads: FileDigests): Promise<string[]> {
    const changed: string[] = [];
    for (const [path, digest] of Object.entries(reads)) {
      if ((await this.fingerprints.digestOfRead(path)) !== digest) changed.push(path);
    }
    return changed;
  }

  /**
   * Puts the artifacts of reused replicates into the condition's folder.
   *
   * @returns the replicates that could not be restored, each with the reason
   */
  async restore(
    reused: ReadonlyMap<number, StoredReplicate>,
    artifacts: string,
  ): Promise<Map<number, string>> {
    const problems = new Map<number, string>();
    const waiting = [...reused].filter(([, stored]) => Object.keys(stored.artifacts).length > 0).reverse();
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const [replicate, stored] = next;
        const problem = await this.shelf?.restore(stored, join(artifacts, `replicate_${replicate}`));
        if (problem !== undefined) problems.set(replicate, problem);
      }
    };
    await Promise.all(Array.from({ length: Math.min(RESTORING, waiting.length) }, lane));
    return problems;
  }

  get reader(): Reader {
    return { experiment: this.planned.experiment, code: this.components.code };
  }

  /** Whether a declared file lies somewhere below a folder. */
  holdsInputs(folder: string): boolean {
    return Object.keys(this.components.files).some((path) => isBelow(path, folder));
  }

  /** Whether the key covers a file that was read, or a folder that was listed. Artifacts are covered by their digests. @param path relative to the root */
  covers(path: string): boolean {
    const { planned, components } = this;
    const { code, loaders, files } = components;
    if (Object.hasOwn(code, path) || Object.hasOwn(loaders, path) || Object.hasOwn(files, path)) return true;
    if (/(?:^|\/)(?:package\.json|tsconfig[^/]*\.json)$/.test(path)) return true;
    return (
      // What is on its way to be a result lies beside the others.
      path === planned.results ||
      path.startsWith(`${planned.results}/.`) ||
      planned.inputs.some((input) => input.type === 'files' && isAllDeclared(path, input.glob)) ||
      planned.sources.some(
        (source) =>
          source.type === 'artifact' &&
          isBelow(path, artifactsFolder(source.upstreamResults, source.condition)),
      )
    );
  }

  /** Keeps a replicate that has just finished, if the store can. */
  keep(
    record: ReplicateRecord,
    ms: number,
    artifacts: string,
    trouble: StoreTrouble,
    reads?: FileDigests,
  ): Promise<void> {
    const { replicate, metrics, artifacts: files } = record;
    const stored = { metrics, artifacts: files, ms, ...(reads === undefined ? {} : { reads }) };
    if (reads !== undefined) this.hasReads = true;
    const folder = Object.keys(files).length === 0 ? artifacts : join(artifacts, `replicate_${replicate}`);
    const { shelf } = this;
    if (shelf === undefined) return Promise.resolve();
    return trouble.attempt(this.planned, () => shelf.put(this.keyOf(replicate), stored, folder));
  }

  /**
   * Remembers this run, to say next time what has changed since.
   *
   * @param published digest of metrics.json; undefined when none was written
   */
  async close(
    failed: readonly number[],
    msPerReplicate: number | undefined,
    published: string | undefined,
  ): Promise<void> {
    await this.abandon();
    const { experiment, seed, replicates } = this.planned;
    const history: ConditionHistory = {
      components: this.components,
      seed,
      replicates,
      failed,
      upstream: this.upstreamDigests(),
      published: published !== undefined && !this.hasReads ? { key: this.key, sha256: published } : undefined,
      // A run in which nothing ran may put together what others have run: jobs of a cluster, or machines that share the store.
      msPerReplicate: msPerReplicate ?? this.msOfReused ?? this.before?.msPerReplicate,
    };
    if (JSON.stringify(history) === JSON.stringify(this.before)) return;
    // It only words reasons: not worth a warning.
    await this.store.writeHistory(experiment, historyName(this.planned), history).catch(() => {});
  }

  /** Lets go without remembering anything. */
  async abandon(): Promise<void> {
    await this.shelf?.close().catch(() => {}); // whoever put what could not be written has heard of it
  }

  private intention(toRun: readonly number[], changedReads: readonly string[]): Intention {
    const { components, upstream } = this;
    const upstreamDigest = (reference: string, count: number): string | undefined => {
      const digests = upstream.find(({ name }) => name === reference)?.digests;
      return digests && digestOfAll(digests.slice(0, count));
    };
    return { components, seed: this.planned.seed, upstreamDigest, toRun, changedReads };
  }

  private upstreamDigests(): ConditionHistory['upstream'] {
    return Object.fromEntries(
      this.upstream.map(({ name, digests }) => [
        name,
        { count: digests.length, digest: digestOfAll(digests) },
      ]),
    );
  }

  private keyOf(replicate: number): string {
    const digests = this.upstream.map(({ digests: all }) => all[replicate % all.length] ?? '');
    return replicateKey(replicate, replicateSeed(this.planned.seed, replicate), digests);
  }
}

/** Under which name the store remembers the last run: like that of its folder in results/, no shard's is a condition's. */
export function historyName({ condition, shard }: Pick<PlannedCondition, 'condition' | 'shard'>): string {
  return shard === undefined ? condition : `${SHARDS_FOLDER}/${condition}/${shardName(shard)}`;
}

/** The last run of a condition or of this shard; of a shard that has not run before, what the condition's run can tell. */
async function historyOf(planned: PlannedCondition, store: RunStore): Promise<ConditionHistory | undefined> {
  const { experiment, condition, shard, replicates } = planned;
  const own = await store.readHistory(experiment, historyName(planned));
  if (shard === undefined || own?.replicates === replicates) return own;
  const other = own ?? (await store.readHistory(experiment, condition));
  // It has read other artifacts, and published other results.
  return other && { ...other, upstream: {}, published: undefined };
}

/** Whether a declared input means everything in a folder that this one is, or lies in. */
function isAllDeclared(folder: string, glob: string): boolean {
  return isBelow(folder, glob.replace(/\/\*\*(?:\/\*)?$/, ''));
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function digestOfAll(digests: readonly string[]): string {
  return sha256(digests.join());
}
