import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fingerprints } from '../../io/code/fingerprint.ts';
import type { Interpreters } from '../../io/python/interpreter.ts';
import { artifactsFolder, manifestPath } from '../../io/writing/condition-folder.ts';
import type { KeyComponents } from '../../store/components.ts';
import type { RunStore, StoredReplicate } from '../../store/store.ts';
import { ReplicateError } from '../failures.ts';
import { encodeManifest, parseManifest } from '../manifest.ts';
import { conditionId, isInline, type PlannedCondition, replicateSeed } from '../plan.ts';
import { ConditionReuse } from './reuse.ts';
import type { UpstreamDigests } from './upstream.ts';

/** What a run of a condition would do. */
export interface ConditionPreview {
  readonly planned: PlannedCondition;
  /** `cached`: the results lie in place; `reused`: the store has all of them; `to-run`: some replicates have to run. */
  readonly status: 'cached' | 'reused' | 'to-run';
  readonly reused: number;
  /** At most: an upstream that runs again may come to the same artifacts. */
  readonly toRun: number;
  /** The results in place are what another run would come to, if what failed failed again. */
  readonly isCurrent: boolean;
  /** Which ones, ascending. */
  readonly missing: readonly number[];
  /** What its replicates depend on; undefined without a store, or when that cannot be said. */
  readonly components: KeyComponents | undefined;
  readonly reasons: readonly string[];
  /** Expected time with the workers given, in milliseconds; undefined without history. */
  readonly expectedMs: number | undefined;
}

/** Digests of the artifacts that a condition will offer, by output alias; UNKNOWN where it has to run first. */
type Offered = ReadonlyMap<string, readonly string[]>;

/** No digest is empty, so that no stored replicate matches it. */
const UNKNOWN = '';

/**
 * Says for each condition of a plan what running it would do, without running or changing anything.
 *
 * @param plan upstream before downstream, upstream included
 * @param workers how many replicates run at a time
 * @param installedAt the root whose installed packages are used, when it is another one
 */
export async function previewPlan(
  plan: readonly PlannedCondition[],
  root: string,
  store: RunStore | undefined,
  workers: number,
  interpreters: Interpreters,
  installedAt?: string,
): Promise<ConditionPreview[]> {
  const fingerprints = new Fingerprints(root, interpreters, installedAt);
  const offered = new Map<string, Offered>();
  const previews: ConditionPreview[] = [];
  for (const planned of plan) {
    previews.push(
      store === undefined || isInline(planned)
        ? allToRun(planned, [])
        : await previewCondition(planned, root, store, fingerprints, offered, workers).catch(
            cannotRun(planned),
          ),
    );
  }
  return previews;
}

/** Without its interpreter a condition has no key: nothing can be said of what the store has. */
function cannotRun(planned: PlannedCondition): (thrown: unknown) => ConditionPreview {
  return (thrown) => {
    if (!(thrown instanceof ReplicateError)) throw thrown;
    return allToRun(planned, [thrown.message]);
  };
}

function allToRun(planned: PlannedCondition, reasons: readonly string[]): ConditionPreview {
  const { replicates } = planned;
  const missing = Array.from({ length: replicates }, (_, replicate) => replicate);
  return {
    planned,
    status: 'to-run',
    reused: 0,
    toRun: replicates,
    isCurrent: false,
    missing,
    components: undefined,
    reasons,
    expectedMs: undefined,
  };
}

async function previewCondition(
  planned: PlannedCondition,
  root: string,
  store: RunStore,
  fingerprints: Fingerprints,
  offered: Map<string, Offered>,
  workers: number,
): Promise<ConditionPreview> {
  const reuse = await ConditionReuse.open(planned, store, fingerprints, upstreamDigests(planned, offered));
  const { reused, toRun: missing, reasons, onlyFailed, msPerReplicate } = await reuse.decide();
  await reuse.abandon();
  const { components } = reuse;
  const lanes = lanesOf(planned, workers);
  const expectedMs =
    msPerReplicate === undefined ? undefined : msPerReplicate * Math.ceil(missing.length / lanes);
  offered.set(planned.id, offeredBy(planned, reused));
  const isInPlace =
    (missing.length === 0 || onlyFailed) && (await liesInPlace(planned, root, reused, missing));
  if (missing.length > 0) {
    const first = upstreamToRun(planned, offered);
    const why = first.length > 0 ? [`after ${first.join(', ')}`] : reasons;
    return {
      planned,
      status: 'to-run',
      reused: reused.size,
      toRun: missing.length,
      isCurrent: isInPlace,
      missing,
      components,
      reasons: why,
      expectedMs,
    };
  }
  return {
    planned,
    status: isInPlace ? 'cached' : 'reused',
    reused: reused.size,
    toRun: 0,
    isCurrent: isInPlace,
    missing: [],
    components,
    reasons: [],
    expectedMs: 0,
  };
}

/** How many replicates of a condition run at a time. @param workers how many there can be */
export function lanesOf({ execution }: PlannedCondition, workers: number): number {
  return Math.min(execution.workers ?? workers, workers) * execution.concurrency;
}

/** What is read, and has replicates to run. */
function upstreamToRun(planned: PlannedCondition, offered: ReadonlyMap<string, Offered>): string[] {
  const waiting = planned.sources.flatMap((source) => {
    const digests =
      source.type === 'artifact' ? offered.get(conditionId(source))?.get(source.output.alias) : undefined;
    return source.type === 'artifact' && digests?.includes(UNKNOWN) ? [conditionId(source)] : [];
  });
  return [...new Set(waiting)];
}

function upstreamDigests(
  planned: PlannedCondition,
  offered: ReadonlyMap<string, Offered>,
): UpstreamDigests[] {
  return planned.sources.flatMap((source) => {
    if (source.type !== 'artifact') return [];
    const all = offered.get(conditionId(source))?.get(source.output.alias) ?? [];
    return [
      { name: `${source.experiment}#${source.output.alias}`, digests: all.slice(0, planned.replicates) },
    ];
  });
}

function offeredBy(planned: PlannedCondition, reused: ReadonlyMap<number, StoredReplicate>): Offered {
  const digest = (alias: string, replicate: number): string =>
    reused.get(replicate)?.artifacts[alias]?.sha256 ?? UNKNOWN;
  return new Map(
    planned.outputs.map(({ alias }) => [
      alias,
      Array.from({ length: planned.replicates }, (_, replicate) => digest(alias, replicate)),
    ]),
  );
}

/** Whether results/<condition> is what the store would put there, and tells that the others have failed. */
async function liesInPlace(
  planned: PlannedCondition,
  root: string,
  reused: ReadonlyMap<number, StoredReplicate>,
  missing: readonly number[],
): Promise<boolean> {
  const results = join(root, planned.results);
  const { experiment, condition } = planned;
  const replicates = [...reused].map(([replicate, { metrics, artifacts }]) => ({
    replicate,
    seed: replicateSeed(planned.seed, replicate),
    metrics,
    artifacts,
  }));
  const text = await readFile(manifestPath(results, condition), 'utf8').catch(() => '');
  const { failed } = parseManifest(text) ?? { failed: [] };
  if (failed.map(({ replicate }) => replicate).join() !== missing.join()) return false;
  if (text !== encodeManifest({ experiment, condition, replicates, failed })) return false;
  for (const { replicate, artifacts } of replicates) {
    for (const { fileName, bytes } of Object.values(artifacts)) {
      const path = join(artifactsFolder(results, condition), `replicate_${replicate}`, fileName);
      if ((await stat(path).catch(() => undefined))?.size !== bytes) return false;
    }
  }
  return true;
}
