import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { printable } from '../base/diagnostics.ts';
import { formatDuration } from '../base/duration.ts';
import { SettingsError } from '../base/settings-error.ts';
import type { Execution } from '../config/config.ts';
import { conditionsOf, resolveCondition } from '../graph/conditions.ts';
import { describeSource } from '../graph/describe-source.ts';
import { type ExperimentNode, experimentOf, type Graph } from '../graph/graph.ts';
import { manifestPath } from '../io/writing/condition-folder.ts';
import { openStore } from '../nx/store-options.ts';
import { compareConditions, type Verdict } from '../report/model.ts';
import { renderTable } from '../report/table.ts';
import { wrap } from '../report/text-grid.ts';
import { verifyHypotheses } from '../runtime/compare/hypotheses.ts';
import { ReplicateError } from '../runtime/failures.ts';
import { type ConditionManifest, parseManifest } from '../runtime/manifest.ts';
import { type ConditionRef, planConditions, RESULTS } from '../runtime/plan.ts';
import { type ConditionPreview, previewPlan } from '../runtime/run/preview.ts';
import { workersOf } from '../workers/create-worker.ts';
import { WorkerPool } from '../workers/pool/worker-pool.ts';
import { type Command, columnsToFill, showsColour, toJson } from './command.ts';
import { staleNotes, UNKNOWN_AGE } from './stale-notes.ts';
import { type GraphWorkspace, readGraph, selectConditions } from './workspace.ts';

const MAX_WIDTH = 100;

/** `nx-experiments show <experiment>`: what it is, and what it came to last. */
export const run: Command['run'] = async ({ cwd, names: [name, ...more], json }, print) => {
  if (name === undefined || more.length > 0)
    throw new SettingsError('"show" takes the name of one experiment.');
  const workspace = readGraph(cwd);
  const { graph, root } = workspace;
  const conditions = selectConditions(graph, [name]);
  const shown = describeExperiment(graph, name);
  const manifests = await readResults(root, graph, name);
  const old = await oldOf(workspace, conditions, manifests);
  if (json) {
    const stale = (condition: string): boolean | null =>
      old?.some(({ planned }) => planned.condition === condition) ?? null;
    const results = manifests.map(({ condition, replicates, failed }) => ({
      condition,
      stale: stale(condition),
      replicates,
      failed,
    }));
    print(toJson({ ...shown, results }));
    return 0;
  }
  print(renderExperiment(shown));
  print(
    manifests.length === 0
      ? '\nThere are no results yet.\n'
      : await renderResults(workspace, name, manifests, old),
  );
  return 0;
};

/** A config as it is in force, with every condition resolved. */
export function describeExperiment(graph: Graph, name: string) {
  const { config, replicates, upstream } = experimentOf(graph, name);
  const downstream = graph.order.filter((other) => experimentOf(graph, other).upstream.includes(name));
  const conditions = conditionsOf(graph, name).map((condition) => {
    const { context, sources } = resolveCondition(graph, name, condition);
    const from = upstream.filter((up) => conditionsOf(graph, up).includes(condition));
    const own =
      condition === 'baseline' || config.treatments.some((treatment) => treatment.name === condition);
    return {
      condition,
      inheritedFrom: own ? [] : from,
      parameters: context,
      datasource: Object.fromEntries(sources.map((source) => [source.alias, describeSource(source)])),
    };
  });
  return {
    name,
    description: config.description ?? null,
    folder: config.folder,
    replicates,
    seed: config.seed,
    steps: config.steps.map(({ name: step, args }) => ({ name: step, arguments: args })),
    outputs: config.outputs.map(({ alias, fileName, writer, loader }) => ({
      name: alias,
      fileName,
      writer: writer ?? null,
      loader: loader ?? null,
    })),
    hypotheses: config.hypotheses.map(({ name: hypothesis, verifier, metricGroups }) => ({
      name: hypothesis,
      verifier,
      metrics: metricGroups,
    })),
    inputs: config.inputs.map((input) => (input.type === 'env' ? `env ${input.name}` : input.glob)),
    execution: config.execution,
    upstream,
    downstream,
    conditions,
  };
}

/** What is set; nothing of what is as ever. */
function renderExecution(execution: Execution): string {
  const { concurrency, retries, timeoutMs, estimateMs, ...others } = execution;
  const facts = {
    ...others,
    concurrency: concurrency === 1 ? undefined : concurrency,
    retries: retries === 0 ? undefined : retries,
    timeout: timeoutMs === undefined ? undefined : formatDuration(timeoutMs),
    estimate: estimateMs === undefined ? undefined : formatDuration(estimateMs),
  };
  return Object.entries(facts)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`]))
    .join(', ');
}

export function renderExperiment(shown: ReturnType<typeof describeExperiment>): string {
  const [baseline] = shown.conditions;
  const withArguments = ({ name, arguments: args }: { name: string; arguments: object }): string =>
    Object.keys(args).length === 0 ? name : `${name} ${JSON.stringify(args)}`;
  const facts: (readonly [string, string])[] = [
    ['folder', shown.folder],
    ['replicates', `${shown.replicates}, seed ${shown.seed}`],
    ['steps', shown.steps.map(withArguments).join(' -> ')],
    ['outputs', shown.outputs.map(({ name, fileName }) => `${name} (${fileName})`).join(', ')],
    ['hypotheses', shown.hypotheses.map(({ name, verifier }) => `${name} (${verifier})`).join(', ')],
    ['inputs', shown.inputs.join(', ')],
    ['execution', renderExecution(shown.execution)],
    ['upstream', shown.upstream.join(', ')],
    ['downstream', shown.downstream.join(', ')],
  ];
  const lines = [
    `${shown.name}${shown.description === null ? '' : `: ${shown.description}`}`,
    '',
    ...facts.flatMap(([label, text]) => (text === '' ? [] : [`  ${label.padEnd(10)}  ${text}`])),
    '',
    'Conditions (* differs from the baseline):',
    ...shown.conditions.flatMap(({ condition, inheritedFrom, parameters, datasource }) => [
      `  ${condition}${inheritedFrom.length > 0 ? ` (from ${inheritedFrom.join(', ')})` : ''}`,
      ...rows(parameters, baseline?.parameters ?? {}, '=', (value) => JSON.stringify(value)),
      ...rows(datasource, baseline?.datasource ?? {}, '<-', String),
    ]),
  ];
  return `${lines.map(clip).join('\n')}\n`;
}

function rows(values: object, before: object, sign: string, render: (value: unknown) => string): string[] {
  const usual = new Map(Object.entries(before).map(([key, value]) => [key, render(value)]));
  const own = Object.entries(values).map(([key, value]) => {
    const text = render(value);
    return `   ${usual.get(key) === text ? ' ' : '*'} ${key} ${sign} ${text}`;
  });
  const gone = [...usual.keys()].filter((key) => !Object.hasOwn(values, key));
  return [...own, ...gone.map((key) => `   * ${key} is not set`)];
}

async function readResults(root: string, graph: Graph, name: string): Promise<ConditionManifest[]> {
  const { config } = experimentOf(graph, name);
  const manifests: ConditionManifest[] = [];
  for (const condition of conditionsOf(graph, name)) {
    const path = manifestPath(join(root, config.folder, RESULTS), condition);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    const manifest = text === undefined ? undefined : parseManifest(text);
    if (manifest !== undefined) manifests.push(manifest);
  }
  return manifests;
}

/** What a run would do for conditions with old results; undefined without a run store, which alone knows. */
async function oldOf(
  { root, graph, store, interpreters }: GraphWorkspace,
  conditions: readonly ConditionRef[],
  manifests: readonly ConditionManifest[],
): Promise<ConditionPreview[] | undefined> {
  const opened = openStore(store);
  if (opened === undefined) return undefined;
  if (manifests.length === 0) return [];
  const plan = planConditions(graph, conditions);
  const previews = await previewPlan(plan, root, opened, availableParallelism(), interpreters);
  const isPresent = ({ experiment, condition }: ConditionRef): boolean =>
    manifests.some((manifest) => manifest.experiment === experiment && manifest.condition === condition);
  return previews.filter(({ planned, isCurrent }) => !isCurrent && isPresent(planned));
}

async function renderResults(
  workspace: GraphWorkspace,
  name: string,
  manifests: readonly ConditionManifest[],
  old: readonly ConditionPreview[] | undefined,
): Promise<string> {
  const node = experimentOf(workspace.graph, name);
  const present = new Set(manifests.map(({ condition }) => condition));
  const missing = conditionsOf(workspace.graph, name).filter((condition) => !present.has(condition));
  const others = manifests.filter((m) => m.replicates.length + m.failed.length !== node.replicates);
  const { verdicts, problem } = await verdictsOf(workspace, node, manifests);
  const notes = [
    ...(missing.length > 0 ? [`There are none of ${missing.join(', ')}.`] : []),
    ...others.map((m) => `${m.condition} ran with ${m.replicates.length + m.failed.length} replicates.`),
    ...(old === undefined ? [UNKNOWN_AGE] : staleNotes(name, old, present)),
    ...(problem === undefined ? [] : [`The hypotheses are not judged: ${problem}`]),
  ];
  const model = compareConditions({ name, description: undefined }, manifests, verdicts);
  const table = renderTable(model, { colour: showsColour(), width: columnsToFill() });
  return `\nLast results:\n${[...notes.flatMap((note) => wrap(note, { width: columnsToFill() })), ...(notes.length > 0 ? [''] : []), table].join('\n')}`;
}

/** As the comparison of a run would judge. */
async function verdictsOf(
  { root, interpreters }: GraphWorkspace,
  node: ExperimentNode,
  manifests: readonly ConditionManifest[],
): Promise<{ readonly verdicts: readonly Verdict[]; readonly problem?: string }> {
  const pool = new WorkerPool(1, workersOf());
  try {
    return { verdicts: await verifyHypotheses(root, node, manifests, pool, interpreters) };
  } catch (thrown) {
    if (thrown instanceof ReplicateError) return { verdicts: [], problem: thrown.message };
    throw thrown;
  } finally {
    await pool.close();
  }
}

function clip(line: string): string {
  const text = printable(line);
  return text.length > MAX_WIDTH ? `${text.slice(0, MAX_WIDTH - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
}
