import { constants, copyFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../../base/digest.ts';
import { digestFile } from '../../io/digest-file.ts';
import { ConditionFolder, manifestPath, readKey, removeShards } from '../../io/writing/condition-folder.ts';
import type { RunStore } from '../../store/store.ts';
import type { ConditionOutcome, FailedReplicate, RunEvent } from '../events.ts';
import { type Maker, ReplicateError } from '../failures.ts';
import { type ConditionManifest, parseManifest, type ReplicateRecord } from '../manifest.ts';
import { type PlannedCondition, placeOf, replicateSeed, replicatesOf } from '../plan.ts';
import { type Shard, shardName, shardsOf } from '../shards.ts';
import { historyName } from './reuse.ts';
import { failureOf } from './thrown.ts';
import type { UpstreamArtifacts } from './upstream.ts';

/** What merging takes from the run that it is part of. */
export interface MergeOptions {
  readonly root: string;
  readonly store: RunStore | undefined;
  readonly upstream: UpstreamArtifacts;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

/** Artifacts are put in place this many at a time. */
const COPYING = 16;

/** The results of one shard as they lie in its folder. */
interface Part {
  readonly shard: Shard;
  /** Relative to the root. */
  readonly folder: string;
  readonly manifest: ConditionManifest;
  readonly sha256: string;
  /** What it was computed with; undefined for functions that only their process knows. */
  readonly key: string | undefined;
}

/**
 * Puts the results of a condition's shards together: the same bytes as those of one run of the whole condition, failed
 * replicates included. Each shard is checked: its seal, that it has the replicates which are its own, that it was computed with what the
 * others were, and every artifact.
 */
export async function mergeShards(
  planned: PlannedCondition,
  n: number,
  options: MergeOptions,
): Promise<ConditionOutcome> {
  const startedAt = Date.now();
  const outcome = (
    status: ConditionOutcome['status'],
    failures: readonly FailedReplicate[],
    manifest?: ConditionManifest,
  ): ConditionOutcome => ({
    planned,
    status,
    failures,
    blockedBy: undefined,
    reused: 0,
    startedAt,
    endedAt: Date.now(),
    manifest,
  });
  const results = join(options.root, planned.results);
  let folder: ConditionFolder | undefined;
  try {
    const parts = await Promise.all(shardsOf(n).map((shard) => readPart(planned, shard, options.root)));
    checkAgreement(planned, parts);
    folder = await ConditionFolder.create(results, planned.condition);
    const ends: string[] = [];
    for (const part of parts) {
      if (options.signal.aborted) {
        await folder.discard();
        return outcome('aborted', []);
      }
      await copyArtifacts(planned, part, folder.artifacts, options);
      ends.push(await folder.include(join(options.root, part.folder, 'run.jsonl')));
    }
    const { experiment, condition } = planned;
    const replicates = parts.flatMap(({ manifest }) => manifest.replicates);
    const failed = parts.flatMap(({ manifest }) => manifest.failed);
    const manifest = { experiment, condition, replicates, failed };
    folder.record(logEntry(ends));
    const published = await folder.publish(manifest, planned.declaredReplicates);
    await removeShards(results, condition, n);
    await remember(planned, parts, published, options.store);
    options.upstream.made(manifest);
    const failures = failed.map(({ replicate, reason }) => ({
      replicate,
      failure: { reason: 'failed-in-shard', text: reason } as const,
    }));
    return outcome(failures.length > 0 ? 'failed' : 'succeeded', failures, manifest);
  } catch (thrown) {
    await folder?.discard().catch(() => {});
    return outcome('failed', [{ replicate: undefined, failure: failureOf(thrown, planned, options.root) }]);
  }
}

/** The last line of run.jsonl, as a run of the whole condition would have it: when it began, and the work of all shards. */
function logEntry(ends: readonly string[]): object {
  const shards = ends.flatMap((line) => {
    try {
      const { startedAt, ms, reused } = JSON.parse(line) as Record<string, unknown>;
      return [{ startedAt: String(startedAt), ms: Number(ms), reused: Number(reused) }];
    } catch {
      return []; // a log decides nothing
    }
  });
  const [first] = shards.map(({ startedAt }) => startedAt).sort();
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
  return {
    type: 'condition',
    startedAt: first,
    ms: sum(shards.map(({ ms }) => ms)),
    reused: sum(shards.map(({ reused }) => reused)),
    shards: ends.length,
  };
}

/** @throws ReplicateError when it is missing, damaged or of another run */
async function readPart(planned: PlannedCondition, shard: Shard, root: string): Promise<Part> {
  const place = placeOf({ ...planned, shard });
  const folder = `${place.folder}/${place.name}`;
  const path = `${folder}/metrics.json`;
  const maker = makerOf(planned, shard);
  const text = await readFile(manifestPath(join(root, place.folder), place.name), 'utf8').catch(
    () => undefined,
  );
  if (text === undefined) throw new ReplicateError({ reason: 'upstream-missing', path, maker });
  const manifest = parseManifest(text);
  if (manifest === undefined) throw new ReplicateError({ reason: 'upstream-damaged', path, maker });
  if (!isPartOf(planned, shard, manifest))
    throw new ReplicateError({ reason: 'shard-of-another-run', path, maker });
  const key = readKey(join(root, place.folder), place.name);
  return { shard, folder, manifest, sha256: sha256(text), key };
}

/**
 * Under Nx the shards' hashes see to it that they belong together; not so when each was run on its own, or by interpreters
 * and packages that Nx does not see.
 *
 * @throws ReplicateError when shards were not computed with the same
 */
function checkAgreement(planned: PlannedCondition, parts: readonly Part[]): void {
  const [first] = parts;
  const other = parts.find(({ key }) => key !== first?.key);
  if (first === undefined || other === undefined) return;
  throw new ReplicateError({
    reason: 'shards-differ',
    path: planned.id,
    shards: [shardName(first.shard), shardName(other.shard)],
    maker: { experiment: planned.experiment, condition: planned.condition },
  });
}

/** Whether a manifest has the replicates of this shard, each once, with their seeds and the declared outputs. */
function isPartOf(planned: PlannedCondition, shard: Shard, manifest: ConditionManifest): boolean {
  const { experiment, condition, seed } = planned;
  const expected = replicatesOf({ ...planned, shard });
  const found = [...manifest.replicates, ...manifest.failed].sort((a, b) => a.replicate - b.replicate);
  return (
    manifest.experiment === experiment &&
    manifest.condition === condition &&
    found.length === expected.length &&
    found.every((r, i) => r.replicate === expected[i] && r.seed === replicateSeed(seed, r.replicate)) &&
    manifest.replicates.every((record) => hasOutputs(planned, record))
  );
}

function hasOutputs({ outputs }: PlannedCondition, { artifacts }: ReplicateRecord): boolean {
  return (
    Object.keys(artifacts).length === outputs.length &&
    outputs.every(({ alias, fileName }) => artifacts[alias]?.fileName === fileName)
  );
}

/** @throws ReplicateError when one is missing, or is damaged and cannot be repaired */
async function copyArtifacts(
  planned: PlannedCondition,
  { shard, folder, manifest }: Part,
  to: string,
  { root, store, onEvent }: MergeOptions,
): Promise<void> {
  const waiting = manifest.replicates
    .flatMap(({ replicate, artifacts }) =>
      Object.values(artifacts).map((artifact) => ({
        ...artifact,
        path: `replicate_${replicate}/${artifact.fileName}`,
      })),
    )
    .reverse();
  const lane = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const from = `${folder}/artifacts/${next.path}`;
      const copy = join(to, next.path);
      await mkdir(dirname(copy), { recursive: true });
      const found = await copyFile(join(root, from), copy, constants.COPYFILE_FICLONE).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error;
          return false;
        },
      );
      // The copy is what is checked: it is what will be read.
      if (found && (await digestFile(copy)) === next.sha256) continue;
      if (!(await store?.repair(next.sha256, copy).catch(() => false))) {
        const reason = found ? 'upstream-damaged' : 'upstream-missing';
        throw new ReplicateError({ reason, path: from, maker: makerOf(planned, shard) });
      }
      onEvent({ type: 'warning', planned, text: `${from} was damaged, and is restored from the store` });
    }
  };
  await Promise.all(Array.from({ length: Math.min(COPYING, waiting.length) }, lane));
}

/**
 * What the shards' runs were, as that of the whole condition: to say next time what has changed, how long a replicate takes,
 * and whether the results lie in place. Shards that ran elsewhere have left no history here.
 */
async function remember(
  planned: PlannedCondition,
  parts: readonly Part[],
  published: string,
  store: RunStore | undefined,
): Promise<void> {
  if (store === undefined) return;
  const { experiment, condition, seed, replicates } = planned;
  const histories = await Promise.all(
    parts.map(({ shard }) => store.readHistory(experiment, historyName({ condition, shard }))),
  );
  const known = histories.filter((history) => history !== undefined);
  const [first] = known;
  if (first === undefined || known.length < parts.length) return;
  const keys = new Set(histories.map((history) => history?.published?.key));
  const [key] = keys;
  // A shard's folder may have come from a cache: then its history is not that of what was put together.
  const same = histories.every((history, i) => history?.published?.sha256 === parts[i]?.sha256);
  const times = known.flatMap(({ msPerReplicate }) => msPerReplicate ?? []);
  const history = {
    components: first.components,
    seed,
    replicates,
    failed: known.flatMap(({ failed }) => failed),
    upstream: {},
    published: key !== undefined && keys.size === 1 && same ? { key, sha256: published } : undefined,
    msPerReplicate: times.length > 0 ? times.reduce((sum, ms) => sum + ms, 0) / times.length : undefined,
  };
  // It only words reasons: not worth a warning.
  await store.writeHistory(experiment, condition, history).catch(() => {});
}

function makerOf({ experiment, condition }: PlannedCondition, shard: Shard): Maker {
  return { experiment, condition, shard: shardName(shard) };
}
