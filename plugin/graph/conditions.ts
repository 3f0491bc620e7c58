import { compareText } from '../base/diagnostics.ts';
import type { JsonObject } from '../base/json.ts';
import { BASELINE, suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import type { ExperimentConfig, FunctionCall, OutputEntry, Treatment } from '../config/config.ts';
import type { Path } from '../config/located-node.ts';
import { experimentOf, type Graph } from './graph.ts';

/** Where one datasource of a condition gets its value. */
export type ResolvedSource =
  | (FunctionCall & { readonly alias: string })
  | {
      readonly type: 'artifact';
      readonly alias: string;
      readonly experiment: string;
      /** The upstream's condition that this one reads. */
      readonly condition: string;
      readonly output: OutputEntry;
    };

/** One experiment under one condition. */
export interface ResolvedCondition {
  readonly experiment: string;
  readonly condition: string;
  /** `params`, and the values of the condition over them. */
  readonly context: JsonObject;
  /** Where in it whole numbers are written as fractions. */
  readonly floats: readonly Path[];
  readonly sources: readonly ResolvedSource[];
}

const memo = new WeakMap<Graph, Map<string, readonly string[]>>();

/** The conditions of an experiment: the baseline first, then its own treatments as written, then inherited ones by name. */
export function conditionsOf(graph: Graph, name: string): readonly string[] {
  const known = memo.get(graph) ?? new Map<string, readonly string[]>();
  memo.set(graph, known);
  const cached = known.get(name);
  if (cached !== undefined) return cached;
  const node = experimentOf(graph, name);
  const own = node.config.treatments.map((treatment) => treatment.name);
  const inherited = new Set(node.upstream.flatMap((up) => conditionsOf(graph, up)));
  const others = [...inherited].filter((condition) => condition !== BASELINE && !own.includes(condition));
  const conditions = [BASELINE, ...own, ...others.sort(compareText)];
  known.set(name, conditions);
  return conditions;
}

/**
 * The conditions of an experiment that are asked for.
 *
 * @param treatments only these beside the baseline; undefined: all
 * @throws SettingsError for a treatment that no experiment of the graph has
 */
export function chosenConditions(
  graph: Graph,
  experiment: string,
  treatments: readonly string[] | undefined,
): string[] {
  const all = conditionsOf(graph, experiment);
  if (treatments === undefined) return [...all];
  const known = new Set(graph.order.flatMap((name) => conditionsOf(graph, name)));
  for (const treatment of treatments) {
    if (known.has(treatment)) continue;
    const hint = suggestion(treatment, [...known].sort(), 'conditions');
    throw new SettingsError(`No experiment of the graph has a treatment "${treatment}". ${hint}`);
  }
  return all.filter((condition) => condition === BASELINE || treatments.includes(condition));
}

/** The condition at which an upstream experiment is read under a treatment: the treatment, if it reaches that far. */
export function conditionAt(graph: Graph, upstream: string, treatment: string): string {
  return conditionsOf(graph, upstream).includes(treatment) ? treatment : BASELINE;
}

const resolved = new WeakMap<Graph, Map<string, ResolvedCondition>>();

/** What an experiment computes with under a condition. Computed from the configs, never from what lies on the disk. */
export function resolveCondition(graph: Graph, name: string, condition: string): ResolvedCondition {
  const known = resolved.get(graph) ?? new Map<string, ResolvedCondition>();
  resolved.set(graph, known);
  const key = `${name}/${condition}`;
  const found = known.get(key) ?? resolve(graph, name, condition);
  known.set(key, found);
  return found;
}

function resolve(graph: Graph, name: string, condition: string): ResolvedCondition {
  const { config } = experimentOf(graph, name);
  const treatment = effectiveTreatment(config, condition);
  const swapped = new Map(treatment.datasource.map((entry) => [entry.alias, entry.source]));
  const sources = config.datasource.map((entry): ResolvedSource => {
    const source = swapped.get(entry.alias) ?? entry.source;
    if (source.type === 'function') return { ...source, alias: entry.alias };
    const { experiment } = source;
    const output = experimentOf(graph, experiment).config.outputs.find((o) => o.alias === source.output);
    if (output === undefined) throw new Error(`Bug: "${experiment}#${source.output}" was not resolved`);
    return {
      type: 'artifact',
      alias: entry.alias,
      experiment,
      condition: conditionAt(graph, experiment, condition),
      output,
    };
  });
  const shared = (config.floats ?? []).filter(([key = '']) => !Object.hasOwn(treatment.values, key));
  return {
    experiment: name,
    condition,
    context: { ...config.params, ...treatment.values },
    floats: [...shared, ...(treatment.floats ?? [])],
    sources,
  };
}

/** An experiment's own treatment of that name, else its baseline. */
export function effectiveTreatment(config: ExperimentConfig, condition: string): Treatment {
  return config.treatments.find((treatment) => treatment.name === condition) ?? config.baseline;
}
