import { compareText, type Diagnostic, type Span } from '../base/diagnostics.ts';
import { BASELINE, suggestion } from '../base/names.ts';
import type { ExperimentConfig, Reference } from '../config/config.ts';
import type { Claims } from '../config/parse.ts';
import { conditionsOf } from './conditions.ts';
import { type ExperimentNode, type Graph, referencesOf } from './graph.ts';
import { findCycles, topologicalOrder } from './order.ts';

/** Of the experiments that share a name, beside the first. */
const MAX_SHOWN = 3;

export interface Resolution {
  /** The experiments that have no problem, and whose upstream has none. */
  readonly graph: Graph;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Connects experiments by their references.
 *
 * @param broken what configs claim that have problems of their own: references to them are not a second error, and
 *   theirs are checked as well
 */
export function resolveGraph(
  configs: readonly ExperimentConfig[],
  broken: readonly Claims[] = [],
): Resolution {
  const diagnostics: Diagnostic[] = [];
  const byName = uniqueByName(configs, diagnostics);
  const brokenNames = new Set(broken.map(({ name }) => name));
  const sound = new Map<string, ExperimentConfig>();
  for (const config of byName.values()) {
    const problems = referencesOf(config).map((reference) =>
      checkReference(config.name.value, reference, byName, brokenNames),
    );
    diagnostics.push(...problems.flatMap((problem) => (typeof problem === 'object' ? [problem] : [])));
    if (problems.every((problem) => problem === undefined)) sound.set(config.name.value, config);
  }
  for (const { name, references } of broken) {
    const problems = references.map((reference) => checkReference(name, reference, byName, brokenNames));
    diagnostics.push(...problems.flatMap((problem) => (typeof problem === 'object' ? [problem] : [])));
  }
  diagnostics.push(...cycleProblems(byName));

  const edges = new Map([...sound].map(([name, config]) => [name, upstreamNames(config)]));
  const experiments = new Map<string, ExperimentNode>();
  for (const name of topologicalOrder(edges)) {
    const config = sound.get(name);
    const upstream = edges.get(name);
    if (config === undefined || upstream === undefined) continue;
    const replicates = resolveReplicates(config, experiments, diagnostics);
    if (replicates !== undefined) experiments.set(name, { name, config, upstream, replicates });
  }
  const graph: Graph = { experiments, order: [...experiments.keys()] };
  diagnostics.push(...[...experiments.values()].flatMap((node) => idleHypotheses(graph, node)));
  return { graph, diagnostics };
}

function uniqueByName(
  configs: readonly ExperimentConfig[],
  out: Diagnostic[],
): Map<string, ExperimentConfig> {
  const claims = new Map<string, [ExperimentConfig, ...ExperimentConfig[]]>();
  for (const config of configs) {
    // Names become folders of a store and targets; on some file systems case folds.
    const key = config.name.value.toLowerCase();
    const claimants = claims.get(key);
    if (claimants === undefined) claims.set(key, [config]);
    else claimants.push(config);
  }
  const byName = new Map<string, ExperimentConfig>();
  for (const claimants of claims.values()) {
    byName.set(claimants[0].name.value, claimants[0]);
    if (claimants.length > 1) out.push(duplicates(claimants));
  }
  return byName;
}

/** One error for all of them: a copied tree would fill the screen many times over. */
function duplicates(claimants: readonly [ExperimentConfig, ...ExperimentConfig[]]): Diagnostic {
  const [{ name }, ...others] = claimants;
  const exact = others.every((other) => other.name.value === name.value);
  const more = others.length - MAX_SHOWN;
  return {
    severity: 'error',
    code: 'graph/duplicate-experiment',
    message: exact
      ? `${claimants.length} experiments are named "${name.value}".`
      : `${claimants.length} experiments are named "${name.value}", but for letter case.`,
    remedy: 'Give each of them a "name:" of its own.',
    at: name.at,
    related: others.slice(0, MAX_SHOWN).map((other, i) => ({
      message: `This one is named "${other.name.value}"${i === MAX_SHOWN - 1 && more > 0 ? `; there are ${more} more` : ''}.`,
      at: other.name.at,
    })),
  };
}

function checkReference(
  reader: string,
  reference: Reference,
  byName: ReadonlyMap<string, ExperimentConfig>,
  broken: ReadonlySet<string>,
): Diagnostic | 'upstream-broken' | undefined {
  const { experiment, output } = reference;
  const upstream = byName.get(experiment);
  if (upstream === undefined) {
    if (broken.has(experiment)) return 'upstream-broken';
    const known = [...byName.keys(), ...broken].filter((other) => other !== reader).sort(compareText);
    return {
      severity: 'error',
      code: 'graph/unknown-experiment',
      message: `There is no experiment "${experiment}".`,
      remedy: suggestion(experiment, known, 'other experiments'),
      at: partOf(reference, 0, experiment.length),
    };
  }
  const outputs = upstream.outputs.map((o) => o.alias);
  if (outputs.includes(output)) return undefined;
  return {
    severity: 'error',
    code: 'graph/unknown-output',
    message: `The experiment "${experiment}" has no output "${output}".`,
    remedy:
      outputs.length === 0
        ? `Declare it under "outputs" of "${experiment}", which has none.`
        : suggestion(output, outputs, `outputs of "${experiment}"`),
    at: partOf(reference, experiment.length + 1, output.length),
    related: [{ message: `"${experiment}" is configured here.`, at: upstream.name.at }],
  };
}

/** A part of `experiment#output` in the file, where it may stand in quotation marks. */
function partOf({ experiment, output, at }: Reference, offset: number, length: number): Span {
  const quote = (at.end - at.start - `${experiment}#${output}`.length) / 2;
  if (quote !== 0 && quote !== 1) return at;
  const start = at.start + quote + offset;
  return { ...at, start, end: start + length };
}

function cycleProblems(byName: ReadonlyMap<string, ExperimentConfig>): Diagnostic[] {
  const edges = new Map(
    [...byName].map(([name, config]) => [name, upstreamNames(config).filter((up) => byName.has(up))]),
  );
  return findCycles(edges).map((cycle) => {
    const spans = cycle.map((name, i) => edgeSpan(byName, name, cycle[(i + 1) % cycle.length] ?? name));
    const [at, ...rest] = spans;
    if (at === undefined) throw new Error('Bug: an empty cycle');
    return {
      severity: 'error',
      code: 'graph/cycle',
      message:
        cycle.length === 1
          ? `The experiment "${cycle[0]}" reads itself.`
          : `Experiments read each other in a cycle: ${[...cycle, cycle[0]].join(' -> ')}.`,
      remedy: cycle.length === 1 ? 'Read another experiment.' : 'Remove one of these references.',
      at,
      related: rest.map((span, i) => ({
        message: `"${cycle[i + 1]}" reads "${cycle[(i + 2) % cycle.length]}" here.`,
        at: span,
      })),
    };
  });
}

function edgeSpan(byName: ReadonlyMap<string, ExperimentConfig>, from: string, to: string): Span {
  const config = byName.get(from);
  const reference = config && referencesOf(config).find((r) => r.experiment === to);
  if (reference === undefined) throw new Error(`Bug: no reference from "${from}" to "${to}"`);
  return reference.at;
}

/** Its own count, else the one that its upstream agrees on; a count of 1 agrees with any. */
function resolveReplicates(
  config: ExperimentConfig,
  resolved: ReadonlyMap<string, ExperimentNode>,
  out: Diagnostic[],
): number | undefined {
  const counts = new Map<number, Reference>();
  for (const reference of referencesOf(config)) {
    const upstream = resolved.get(reference.experiment);
    if (upstream === undefined) return undefined;
    if (upstream.replicates > 1 && !counts.has(upstream.replicates))
      counts.set(upstream.replicates, reference);
  }
  const [first, second] = [...counts];
  if (first && second) {
    const listed = [...counts]
      .map(([count, reference]) => `"${reference.experiment}" has ${count}`)
      .join(', ');
    out.push({
      severity: 'error',
      code: 'graph/replicate-mismatch',
      message: `"${config.name.value}" reads experiments with different numbers of replicates: ${listed}.`,
      remedy: 'Give these experiments the same number of replicates, or 1.',
      at: first[1].at,
      related: [...counts].slice(1).map(([count, reference]) => ({
        message: `"${reference.experiment}" with ${count} replicates is read here.`,
        at: reference.at,
      })),
    });
    return undefined;
  }
  return config.replicates?.value ?? first?.[0] ?? 1;
}

function idleHypotheses(graph: Graph, node: ExperimentNode): Diagnostic[] {
  if (conditionsOf(graph, node.name).length > 1) return [];
  return node.config.hypotheses.map((hypothesis) => ({
    severity: 'error',
    code: 'graph/nothing-to-compare',
    message: `The hypothesis "${hypothesis.name}" has nothing to compare: "${node.name}" has no treatment, and reads no experiment that has one.`,
    remedy: `Add a treatment beside "${BASELINE}", or remove the hypothesis.`,
    at: hypothesis.at,
  }));
}

function upstreamNames(config: ExperimentConfig): string[] {
  return [...new Set(referencesOf(config).map((reference) => reference.experiment))];
}
