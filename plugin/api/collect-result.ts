import { join } from 'node:path';
import { BASELINE } from '../base/names.ts';
import { VERSION } from '../base/version.ts';
import { type ExperimentNode, experimentOf, type Graph } from '../graph/graph.ts';
import { languageOf, modulesOf } from '../io/code/modules.ts';
import { findTsconfig } from '../io/code/tsconfig.ts';
import { digestFile } from '../io/digest-file.ts';
import { artifactsFolder } from '../io/writing/condition-folder.ts';
import type { Verdict } from '../report/model.ts';
import type { ConditionOutcome, ConditionStatus } from '../runtime/events.ts';
import { describeFailure, stackOf } from '../runtime/failures.ts';
import type { ConditionManifest, ReplicateRecord } from '../runtime/manifest.ts';
import type { FunctionLoader } from '../workers/function-loader.ts';
import { BUILT_IN_LOADERS, standIn } from '../workers/node/formats.ts';
import type { ConditionProvenance, ReplicateMetrics, Result, ResultArtifact, ResultError } from './result.ts';

/** A condition that was run, with what it wrote. */
export interface RanCondition {
  readonly outcome: ConditionOutcome;
  readonly manifest: ConditionManifest | undefined;
}

/** Everything that is known of an experiment after a run. */
export function collectResult(
  root: string,
  graph: Graph,
  name: string,
  ran: readonly RanCondition[],
  comparison: { readonly verdicts: readonly Verdict[]; readonly problems: readonly string[] },
  loader: () => FunctionLoader,
): Result {
  const node = experimentOf(graph, name);
  const folder = join(root, node.config.folder);
  const metrics: Record<string, (ReplicateMetrics | undefined)[]> = Object.create(null);
  const artifacts: Record<string, (Record<string, ResultArtifact> | undefined)[]> = Object.create(null);
  const conditions: Record<string, ConditionProvenance> = Object.create(null);
  for (const { outcome, manifest } of ran) {
    const { condition, replicates, results } = outcome.planned;
    const records = new Map(manifest?.replicates.map((record) => [record.replicate, record]));
    const all = Array.from({ length: replicates }, (_, replicate) => records.get(replicate));
    const files = artifactsFolder(join(root, results), condition);
    metrics[condition] = all.map((record) => record?.metrics);
    artifacts[condition] = all.map((record) => record && artifactsOf(record, files, root, node, loader));
    conditions[condition] = provenanceOf(outcome, records.size);
  }
  const planned = ran[0]?.outcome.planned;
  const errors: ResultError[] = ran.flatMap(({ outcome }) => errorsOf(outcome));
  for (const message of comparison.problems)
    errors.push({ condition: BASELINE, replicate: undefined, message, stack: '', failure: undefined });
  return {
    experiment: name,
    status: statusOf(ran, comparison.problems),
    conditions: ran.map(({ outcome }) => outcome.planned.condition),
    metrics,
    artifacts,
    hypotheses: comparison.verdicts,
    errors,
    provenance: {
      versions: { 'nx-experiments': VERSION, node: process.versions.node },
      seed: planned?.seed ?? node.config.seed,
      replicates: planned?.replicates ?? node.replicates,
      folder,
      conditions,
    },
    values: (metric, condition = BASELINE) => {
      const replicates = metrics[condition];
      if (replicates === undefined) {
        throw new RangeError(`"${name}" was not run under "${condition}".`);
      }
      // What an object inherits, such as `constructor`, was not recorded.
      return replicates.flatMap((recorded) =>
        recorded !== undefined && Object.hasOwn(recorded, metric)
          ? (recorded[metric] ?? [Number.NaN])
          : [Number.NaN],
      );
    },
  };
}

function artifactsOf(
  { replicate, artifacts }: ReplicateRecord,
  files: string,
  root: string,
  { name, config }: ExperimentNode,
  loader: () => FunctionLoader,
): Record<string, ResultArtifact> {
  const folder = join(root, config.folder);
  const entries = Object.entries(artifacts).map(([alias, { fileName, bytes, sha256 }]) => {
    const path = join(files, `replicate_${replicate}`, fileName);
    const wanted = config.outputs.find((output) => output.alias === alias)?.loader ?? 'load_bytes';
    const load = async (): Promise<unknown> => {
      const module = modulesOf(folder, name, config.definition).outputs;
      const tsconfig = findTsconfig(root, folder);
      const foreign = module !== undefined && languageOf(module) === 'python';
      const own = module === undefined || foreign ? undefined : await loader().find(module, wanted, tsconfig);
      const read = own ?? (foreign ? standIn(wanted, fileName) : BUILT_IN_LOADERS[wanted]);
      if (read === undefined) throw new Error(`"${name}" has no loader "${wanted}".`);
      if ((await digestFile(path).catch(() => undefined)) !== sha256)
        throw new Error(`${path} is not what this run wrote: a later run has replaced it, or it was edited.`);
      return read(path);
    };
    return [alias, { path, bytes, sha256, load }] as const;
  });
  return Object.fromEntries(entries);
}

function provenanceOf(
  { planned, status, reused, startedAt, endedAt }: ConditionOutcome,
  finished: number,
): ConditionProvenance {
  const upstream = planned.sources.flatMap((source) =>
    source.type === 'artifact' ? [[source.experiment, source.condition] as const] : [],
  );
  return {
    status,
    reused,
    ran: Math.max(0, finished - reused),
    startedAt: new Date(startedAt).toISOString(),
    ms: endedAt - startedAt,
    upstream: Object.fromEntries(upstream),
  };
}

function errorsOf({
  planned: { condition, id },
  status,
  failures,
  blockedBy,
}: ConditionOutcome): ResultError[] {
  const without = (message: string): ResultError[] => [
    { condition, replicate: undefined, message, stack: '', failure: undefined },
  ];
  if (status === 'skipped') return without(`${id} was skipped, because ${blockedBy} did not succeed`);
  if (status === 'aborted') return without(`${id} was stopped`);
  return failures.map(({ replicate, failure }) => ({
    condition,
    replicate,
    message: describeFailure(failure),
    stack: stackOf(failure),
    failure,
  }));
}

/** The worst of its conditions. */
function statusOf(ran: readonly RanCondition[], problems: readonly string[]): ConditionStatus {
  const statuses = ran.map(({ outcome }) => outcome.status);
  for (const status of ['failed', 'aborted', 'skipped'] as const) {
    if (statuses.includes(status)) return status;
  }
  return problems.length === 0 ? 'succeeded' : 'failed';
}
