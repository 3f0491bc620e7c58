import { sha256 } from '../base/digest.ts';
import { BASELINE, suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionAt, conditionsOf, effectiveTreatment, resolveCondition } from '../graph/conditions.ts';
import { type ExperimentNode, experimentOf, type Graph, referencesOf } from '../graph/graph.ts';

/** An experiment as a picture shows it. */
export interface PictureNode {
  readonly name: string;
  readonly icon: string;
  readonly description: string | undefined;
  readonly group: string | undefined;
  /** `#RRGGBB`. */
  readonly color: string | undefined;
  readonly replicates: number;
  /** Under a treatment: the condition at which it runs. */
  readonly condition: string | undefined;
  /** It defines the treatment itself. */
  readonly treated: boolean;
}

export interface PictureEdge {
  readonly from: string;
  readonly to: string;
  /** Names of the outputs that are read. */
  readonly outputs: readonly string[];
  /** Only a treatment that swaps a datasource reads it. */
  readonly swapped: boolean;
}

/** Experiments and what they read, upstream before downstream. */
export interface Picture {
  readonly treatment: string | undefined;
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
}

/**
 * What a picture of these experiments, of all unless told otherwise, and of all that they read shows.
 *
 * @throws SettingsError for an unknown experiment or treatment
 */
export function pictureOf(
  graph: Graph,
  { experiments, treatment }: { readonly experiments?: readonly string[]; readonly treatment?: string } = {},
): Picture {
  checkNames(graph, experiments ?? [], treatment);
  const edgesOf = (node: ExperimentNode): readonly PictureEdge[] =>
    treatment === undefined ? allEdges(node) : edgesUnder(graph, node, treatment);
  const shown = new Set<string>();
  const show = (name: string): void => {
    if (shown.has(name)) return;
    shown.add(name);
    for (const { from } of edgesOf(experimentOf(graph, name))) show(from);
  };
  for (const name of experiments ?? graph.order) show(name);
  const nodes = graph.order.filter((name) => shown.has(name)).map((name) => experimentOf(graph, name));
  return {
    treatment,
    nodes: nodes.map((node) => pictureNode(graph, node, treatment)),
    edges: nodes.flatMap(edgesOf),
  };
}

/**
 * The part of the whole picture around one experiment: as many steps upstream as have at most so many experiments, one at
 * least.
 */
export function pictureAround(graph: Graph, name: string, most: number): Picture {
  const near = new Set([name]);
  let edge = [name];
  for (let steps = 0; edge.length > 0; steps++) {
    const next = new Set(
      edge.flatMap((at) => experimentOf(graph, at).upstream.filter((up) => !near.has(up))),
    );
    if (steps > 0 && near.size + next.size > most) break;
    for (const from of next) near.add(from);
    edge = [...next];
  }
  const nodes = ranked(graph, near).map((near) => experimentOf(graph, near));
  return {
    treatment: undefined,
    nodes: nodes.map((node) => pictureNode(graph, node, undefined)),
    edges: nodes.flatMap(allEdges).filter(({ from }) => near.has(from)),
  };
}

const digests = new WeakMap<Graph, Map<string, string>>();

/** Digest of all that a picture of an experiment and of what it reads can show: when it is the same, so is `pictureAround`. */
export function pictureDigest(graph: Graph, name: string): string {
  const known = digests.get(graph) ?? new Map<string, string>();
  digests.set(graph, known);
  const found = known.get(name);
  if (found !== undefined) return found;
  const node = experimentOf(graph, name);
  const upstream = node.upstream.map((up) => pictureDigest(graph, up));
  const digest = sha256(JSON.stringify([pictureNode(graph, node, undefined), allEdges(node), upstream]));
  known.set(name, digest);
  return digest;
}

const ranks = new WeakMap<Graph, ReadonlyMap<string, number>>();

/** Upstream before downstream. */
function ranked(graph: Graph, names: Iterable<string>): string[] {
  const rank = ranks.get(graph) ?? new Map(graph.order.map((name, i) => [name, i]));
  ranks.set(graph, rank);
  return [...names].sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
}

function pictureNode(graph: Graph, node: ExperimentNode, treatment: string | undefined): PictureNode {
  const { name, config, replicates, upstream } = node;
  const { icon, group, color } = config.presentation;
  const own = config.treatments.some((candidate) => candidate.name === treatment);
  return {
    name,
    icon: icon ?? (upstream.length > 0 ? '📈' : '🧪'),
    description: config.description,
    group,
    color,
    replicates,
    condition: treatment === undefined ? undefined : conditionAt(graph, name, treatment),
    treated: treatment !== BASELINE && own,
  };
}

const edgesByNode = new WeakMap<ExperimentNode, readonly PictureEdge[]>();

/** Under any condition. An experiment is in the pictures of all that read it, near enough. */
function allEdges(node: ExperimentNode): readonly PictureEdge[] {
  const known = edgesByNode.get(node) ?? findEdges(node);
  edgesByNode.set(node, known);
  return known;
}

function findEdges({ name, config }: ExperimentNode): PictureEdge[] {
  const usual = new Set(
    config.datasource.flatMap(({ source }) =>
      source.type === 'reference' ? [`${source.experiment}#${source.output}`] : [],
    ),
  );
  const outputs = new Map<string, Map<string, boolean>>();
  for (const { experiment, output } of referencesOf(config)) {
    const known = outputs.get(experiment) ?? new Map<string, boolean>();
    known.set(output, !usual.has(`${experiment}#${output}`));
    outputs.set(experiment, known);
  }
  return [...outputs].flatMap(([from, read]) =>
    [false, true].flatMap((swapped) => {
      const names = [...read].filter(([, only]) => only === swapped).map(([output]) => output);
      return names.length === 0 ? [] : [{ from, to: name, outputs: names, swapped }];
    }),
  );
}

function edgesUnder(graph: Graph, { name, config }: ExperimentNode, treatment: string): PictureEdge[] {
  const condition = conditionAt(graph, name, treatment);
  const swaps = new Set(effectiveTreatment(config, condition).datasource.map(({ alias }) => alias));
  const edges = new Map<string, { outputs: string[]; swapped: boolean }>();
  for (const source of resolveCondition(graph, name, condition).sources) {
    if (source.type !== 'artifact') continue;
    const edge = edges.get(source.experiment) ?? { outputs: [], swapped: true };
    if (!edge.outputs.includes(source.output.alias)) edge.outputs.push(source.output.alias);
    edge.swapped &&= swaps.has(source.alias);
    edges.set(source.experiment, edge);
  }
  return [...edges].map(([from, edge]) => ({ from, to: name, ...edge }));
}

function checkNames(graph: Graph, experiments: readonly string[], treatment: string | undefined): void {
  for (const name of experiments) {
    if (graph.experiments.has(name)) continue;
    const hint = suggestion(name, [...graph.order].sort(), 'experiments');
    throw new SettingsError(`There is no experiment "${name}". ${hint}`);
  }
  if (treatment === undefined) return;
  const known = new Set(graph.order.flatMap((name) => conditionsOf(graph, name)));
  if (known.has(treatment)) return;
  const hint = suggestion(treatment, [...known].sort(), 'conditions');
  throw new SettingsError(`No experiment has a treatment "${treatment}". ${hint}`);
}
