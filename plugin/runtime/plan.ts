import { compareText } from '../base/diagnostics.ts';
import type { JsonObject } from '../base/json.ts';
import type { DeclaredInput, Definition, Execution, FunctionCall, OutputEntry } from '../config/config.ts';
import type { Path } from '../config/located-node.ts';
import { conditionsOf, type ResolvedSource, resolveCondition } from '../graph/conditions.ts';
import { experimentOf, type Graph } from '../graph/graph.ts';
import { blockOf, SHARDS_FOLDER, type Shard, shardName, shardsOf } from './shards.ts';

/** One condition of one experiment, by name. */
export interface ConditionRef {
  readonly experiment: string;
  readonly condition: string;
}

/** What one item of a plan does for a condition: all of it, unless it says otherwise. */
export interface PlanRef extends ConditionRef {
  /** It runs the replicates of this shard alone. */
  readonly shard?: Shard | undefined;
  /** It runs nothing: it puts the results of this many shards together. */
  readonly merges?: number | undefined;
}

/** What the user may override for a whole run. */
export interface RunOverrides {
  readonly replicates?: number | undefined;
  readonly seed?: number | undefined;
  readonly workers?: number | undefined;
  /** Folder in each experiment's folder that takes the results. Default: `results`. */
  readonly results?: string | undefined;
}

/** What is run of some experiments, where it is not what their configs say. */
export interface RunChoices {
  /** Only these beside the baseline; undefined: all. */
  readonly treatments?: readonly string[];
  readonly replicates?: number;
  readonly seed?: number;
}

export const RESULTS = 'results';

export type PlannedSource =
  | (FunctionCall & { readonly alias: string })
  | (Extract<ResolvedSource, { type: 'artifact' }> & {
      /** Replicates that the upstream has: replicate i reads number `i mod upstreamReplicates`. */
      readonly upstreamReplicates: number;
      /** The upstream's folder, relative to the root. */
      readonly upstreamFolder: string;
      /** Relative to the root. */
      readonly upstreamResults: string;
      readonly upstreamDefinition: Definition | undefined;
    });

/** Everything that running one condition needs to know, in plain data. */
export interface PlannedCondition extends ConditionRef {
  readonly id: string;
  readonly folder: string;
  /** Folder of all conditions' results, relative to the root. */
  readonly results: string;
  readonly configFile: string;
  readonly definition: Definition | undefined;
  /** The shard that it runs; undefined: all replicates. */
  readonly shard: Shard | undefined;
  /** How many shards it puts together; undefined: it runs replicates itself. */
  readonly merges: number | undefined;
  /** How many the condition has; `replicatesOf` says which of them are run here. */
  readonly replicates: number;
  /** How many it has by its config. */
  readonly declaredReplicates: number;
  readonly seed: number;
  readonly context: JsonObject;
  /** Where in the context whole numbers are written as fractions. */
  readonly floats: readonly Path[];
  readonly sources: readonly PlannedSource[];
  /** A single datasource that is no reference reaches the first step bare; otherwise the step gets a mapping. */
  readonly bareSource: boolean;
  readonly steps: readonly FunctionCall[];
  readonly outputs: readonly OutputEntry[];
  /** What else a run reads. */
  readonly inputs: readonly DeclaredInput[];
  readonly execution: Execution;
  /** Ids of the conditions in this plan that must have finished before. */
  readonly waitsFor: readonly string[];
}

/** Where in `context`, `steps` and `sources` of a job whole numbers are written as fractions; in one order. */
export function floatsOf({
  floats,
  steps,
  sources,
}: Pick<PlannedCondition, 'floats' | 'steps' | 'sources'>): Path[] {
  const inCalls = (kind: string, calls: readonly { readonly floats?: readonly Path[] }[]): Path[] =>
    calls.flatMap((call, i) => (call.floats ?? []).map((path) => [kind, i, 'args', ...path]));
  const found = [
    ...floats.map((path) => ['context', ...path]),
    ...inCalls('steps', steps),
    ...inCalls(
      'sources',
      sources.map((source) => (source.type === 'function' ? source : {})),
    ),
  ];
  return found.sort((a, b) => compareText(JSON.stringify(a), JSON.stringify(b)));
}

/** `experiment/condition`, and for a shard `experiment/condition/2of4`. */
export function conditionId({ experiment, condition, shard }: PlanRef): string {
  const id = `${experiment}/${condition}`;
  return shard === undefined ? id : `${id}/${shardName(shard)}`;
}

/** The replicates that are run here, ascending. */
export function replicatesOf({
  replicates,
  shard = { k: 1, n: 1 },
}: Pick<PlannedCondition, 'replicates' | 'shard'>): number[] {
  return blockOf(shard, replicates);
}

/** Where the results of a condition, or of one shard of it, lie: a folder relative to the root, and a name in it. */
export function placeOf({
  results,
  condition,
  shard,
}: Pick<PlannedCondition, 'results' | 'condition' | 'shard'>): { folder: string; name: string } {
  return shard === undefined
    ? { folder: results, name: condition }
    : { folder: `${results}/${SHARDS_FOLDER}/${condition}`, name: shardName(shard) };
}

/** Seed of replicate i: (seed + i * 31337) mod 2^32, the same in every condition, so that conditions are paired. */
export function replicateSeed(seed: number, replicate: number): number {
  return (seed + replicate * 31337) % 2 ** 32;
}

/** Adds every condition that the wanted ones read, directly or not. */
export function withUpstream(graph: Graph, wanted: readonly ConditionRef[]): ConditionRef[] {
  const found = new Map<string, ConditionRef>();
  const visit = (ref: ConditionRef): void => {
    const id = conditionId(ref);
    if (found.has(id)) return;
    found.set(id, ref);
    for (const source of resolveCondition(graph, ref.experiment, ref.condition).sources) {
      if (source.type === 'artifact') visit({ experiment: source.experiment, condition: source.condition });
    }
  };
  for (const ref of wanted) visit(ref);
  return [...found.values()];
}

const closures = new WeakMap<Graph, Map<string, readonly ConditionRef[]>>();

/** Every condition that this one reads, directly or not. */
export function upstreamOfCondition(
  graph: Graph,
  experiment: string,
  condition: string,
): readonly ConditionRef[] {
  const known = closures.get(graph) ?? new Map<string, readonly ConditionRef[]>();
  closures.set(graph, known);
  const ref = { experiment, condition };
  const found = known.get(conditionId(ref)) ?? withUpstream(graph, [ref]).slice(1);
  known.set(conditionId(ref), found);
  return found;
}

/**
 * Plans exactly these conditions, upstream before downstream.
 *
 * @param running all conditions that run together, when they are planned in several calls: what each waits for
 */
export function planConditions(
  graph: Graph,
  wanted: readonly PlanRef[],
  overrides: RunOverrides = {},
  running: readonly PlanRef[] = wanted,
): PlannedCondition[] {
  const ids = new Set(running.map(conditionId));
  const rank = new Map(graph.order.map((name, i) => [name, i]));
  return [...wanted]
    .sort(
      (a, b) =>
        (rank.get(a.experiment) ?? 0) - (rank.get(b.experiment) ?? 0) ||
        conditionsOf(graph, a.experiment).indexOf(a.condition) -
          conditionsOf(graph, b.experiment).indexOf(b.condition) ||
        shardRank(a) - shardRank(b),
    )
    .map((ref) => planCondition(graph, ref, ids, overrides));
}

/** The merging comes after all shards. */
function shardRank({ shard }: PlanRef): number {
  return shard?.k ?? Number.MAX_SAFE_INTEGER;
}

function planCondition(
  graph: Graph,
  ref: PlanRef,
  planned: ReadonlySet<string>,
  overrides: RunOverrides,
): PlannedCondition {
  const { config, replicates } = experimentOf(graph, ref.experiment);
  const resolved = resolveCondition(graph, ref.experiment, ref.condition);
  const sources = resolved.sources.map((source): PlannedSource => {
    if (source.type === 'function') return source;
    const upstream = experimentOf(graph, source.experiment);
    return {
      ...source,
      upstreamReplicates: overrides.replicates ?? upstream.replicates,
      upstreamFolder: upstream.config.folder,
      upstreamResults: resultsOf(upstream.config.folder, overrides),
      upstreamDefinition: upstream.config.definition,
    };
  });
  const { experiment, condition, shard, merges } = ref;
  const reads =
    merges === undefined
      ? sources.flatMap((source) => (source.type === 'artifact' ? [conditionId(source)] : []))
      : shardsOf(merges).map((part) => conditionId({ experiment, condition, shard: part }));
  const only = config.datasource.length === 1 ? config.datasource[0] : undefined;
  return {
    experiment,
    condition,
    shard,
    merges,
    id: conditionId(ref),
    folder: config.folder,
    results: resultsOf(config.folder, overrides),
    definition: config.definition,
    configFile: config.file,
    replicates: overrides.replicates ?? replicates,
    declaredReplicates: replicates,
    seed: overrides.seed ?? config.seed,
    context: resolved.context,
    floats: resolved.floats,
    sources,
    bareSource: config.definition?.bareSource ?? only?.source.type === 'function',
    steps: config.steps,
    outputs: config.outputs,
    inputs: config.inputs,
    execution: { ...config.execution, workers: overrides.workers ?? config.execution.workers },
    waitsFor: [...new Set(reads)].filter((id) => planned.has(id)),
  };
}

function resultsOf(folder: string, { results = RESULTS }: RunOverrides): string {
  return `${folder}/${results}`;
}

/** Whether its functions exist in this process alone: what they do cannot be known from files. */
export function isInline({ definition, sources }: PlannedCondition): boolean {
  return (
    isInlineDefinition(definition) ||
    sources.some(
      (source) =>
        source.type === 'artifact' &&
        source.output.loader !== undefined &&
        isInlineDefinition(source.upstreamDefinition),
    )
  );
}

export function isInlineDefinition(definition: Definition | undefined): boolean {
  return definition !== undefined && definition.module === undefined;
}
