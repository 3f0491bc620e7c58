import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ExecutorContext, ProjectGraph } from '@nx/devkit';
import { formatDiagnostic } from '../base/diagnostics.ts';
import { SHARD_SUFFIX } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { experimentOf, type Graph } from '../graph/graph.ts';
import { readExperiments } from '../io/discover.ts';
import { withLateOptimization } from '../io/late-optimization.ts';
import { Interpreters } from '../io/python.ts';
import { renderProblem } from '../report/problems.ts';
import { renderTable } from '../report/table.ts';
import { type ConditionEnd, comparableOf, endOf } from '../runtime/comparable.ts';
import { Comparisons } from '../runtime/compare.ts';
import type { ConditionOutcome, RunEvent } from '../runtime/events.ts';
import { conditionId, type PlanRef, planConditions } from '../runtime/plan.ts';
import { runPlan } from '../runtime/runner.ts';
import { parseShard, type Shard, shardCount } from '../runtime/shards.ts';
import { reportsAhead } from '../runtime/write-reports.ts';
import { workersOf } from '../workers/create-worker.ts';
import { WorkerPool } from '../workers/pool/worker-pool.ts';
import { InferenceCache } from './cache.ts';
import { lostDependencies } from './lost-dependencies.ts';
import { pluginOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { variableOfFolder } from './own-variables.ts';
import { parseRunOptions, type RunExecutorOptions } from './run-options.ts';
import { openStore, resolveStore, type StoreOptions } from './store-options.ts';
import { conditionTarget, EXECUTOR } from './targets.ts';
import { renderOutcome } from './terminal.ts';

/** One Nx task of ours: a condition to run, or the comparison of an experiment. */
export interface ExperimentTask {
  readonly id: string;
  readonly project: string;
  readonly target: string;
  /** As Nx passes them. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface TaskOutcome {
  readonly task: string;
  readonly status: 'success' | 'failure' | 'skipped';
  /** Text to show for the task, also when it is replayed from the cache. */
  readonly output: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

interface Resolved extends Omit<ExperimentTask, 'options'> {
  readonly options: RunExecutorOptions;
  readonly experiment: string;
  /** Undefined for the comparison. */
  readonly condition: string | undefined;
  /** Of a task that runs a part of the condition. */
  readonly shard: Shard | undefined;
  /** Of a task that puts this many parts together. */
  readonly merges: number | undefined;
}

/**
 * Runs the tasks of one batch, or a single one, and tells of each as it ends. Never rejects: every task is answered.
 */
export async function runTasks(
  tasks: readonly ExperimentTask[],
  context: Pick<ExecutorContext, 'root' | 'projectGraph' | 'nxJsonConfiguration'>,
  hooks: {
    readonly signal: AbortSignal;
    readonly onEvent: (event: RunEvent) => void;
    readonly onTask: (outcome: TaskOutcome) => void;
  },
): Promise<void> {
  const answered = new Set<string>();
  const answer = (outcome: TaskOutcome): void => {
    if (answered.has(outcome.task)) return;
    answered.add(outcome.task);
    hooks.onTask(outcome);
  };
  const failAll = (message: string): void => {
    const now = Date.now();
    for (const { id } of tasks) {
      answer({ task: id, status: 'failure', output: `${message}\n`, startedAt: now, endedAt: now });
    }
  };
  try {
    const loaded = loadGraph(
      context.root,
      context.projectGraph,
      tasks.map((task) => task.project),
    );
    if (typeof loaded === 'string') return failAll(loaded);
    const settings = pluginOptions(context.nxJsonConfiguration);
    const plugin = resolveOptions(settings);
    const resolved: Resolved[] = [];
    for (const task of tasks) {
      const found = resolveTask(task, loaded, plugin);
      if (typeof found === 'string') return failAll(found);
      resolved.push(found);
    }
    const store = resolveStore(context.root, settings, process.env);
    const interpreters = new Interpreters(context.root, plugin.python);
    const run = new TaskRun(context.root, loaded.graph, resolved, store, interpreters, hooks, answer);
    await withLateOptimization(() => run.run());
  } catch (thrown) {
    if (thrown instanceof SettingsError) failAll(thrown.message);
    else failAll(`nx-experiments failed: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
  }
}

class TaskRun {
  private readonly pool: WorkerPool;
  private readonly workers: number;
  private readonly comparisons: Comparisons;
  private running: Promise<unknown> = Promise.resolve();
  /** By experiment: its tasks that run a whole condition. */
  private readonly conditions = new Map<string, Resolved[]>();

  constructor(
    private readonly root: string,
    private readonly graph: Graph,
    private readonly tasks: readonly Resolved[],
    private readonly store: StoreOptions,
    private readonly interpreters: Interpreters,
    private readonly hooks: { readonly signal: AbortSignal; readonly onEvent: (event: RunEvent) => void },
    private readonly answer: (outcome: TaskOutcome) => void,
  ) {
    for (const task of tasks) {
      if (task.condition === undefined || task.shard !== undefined) continue;
      const own = this.conditions.get(task.experiment) ?? [];
      own.push(task);
      this.conditions.set(task.experiment, own);
    }
    const asked = tasks.map((task) => task.options.workers ?? this.configuredWorkers(task));
    this.workers = availableParallelism();
    this.pool = new WorkerPool(Math.max(this.workers, ...asked), workersOf());
    this.comparisons = new Comparisons(root, graph, this.pool, interpreters);
  }

  async run(): Promise<void> {
    try {
      const ends = new Map<string, Promise<ConditionEnd>>();
      const comparing: Promise<void>[] = [];
      const conditions = this.runConditions();
      for (const task of inOrder(this.tasks)) {
        if (task.condition === undefined) comparing.push(this.compare(task, ends));
        else ends.set(task.id, this.condition(task, conditions));
      }
      await Promise.all(ends.values());
      this.comparisons.hurry();
      await Promise.all(comparing);
      await this.running;
    } finally {
      await this.pool.close();
    }
  }

  /** Promises of outcomes by task id. */
  private runConditions(): Map<string, Promise<ConditionOutcome>> {
    const tasks = this.tasks.filter((task) => task.condition !== undefined);
    const waiting = new Map<string, (outcome: ConditionOutcome) => void>();
    const outcomes = new Map<string, Promise<ConditionOutcome>>();
    for (const task of tasks) {
      outcomes.set(task.id, new Promise((resolve) => waiting.set(conditionId(itemOf(task)), resolve)));
    }
    const plan = [...groupByOverrides(tasks).values()].flatMap(([overrides, group]) =>
      planConditions(this.graph, group.map(itemOf), overrides, tasks.map(itemOf)),
    );
    const prepare = this.tasks.some((task) => task.condition === undefined) ? reportsAhead() : () => {};
    const onEvent = (event: RunEvent): void => {
      prepare(event);
      this.hooks.onEvent(event);
      if (event.type === 'condition-finished') waiting.get(event.outcome.planned.id)?.(event.outcome);
    };
    const told = new Set<string>();
    for (const planned of plan) {
      const text = told.has(planned.experiment) ? undefined : variableOfFolder(this.root, planned);
      told.add(planned.experiment);
      if (text !== undefined) this.hooks.onEvent({ type: 'warning', planned, text });
    }
    const failFast = this.tasks.some((task) => task.options.failFast === true);
    this.running = runPlan(plan, {
      root: this.root,
      pool: this.pool,
      interpreters: this.interpreters,
      workers: this.workers,
      signal: this.hooks.signal,
      failFast,
      store: openStore(this.store),
      strategy: this.tasks.some((task) => task.options.strategy === 'rerun') ? 'rerun' : 'resume',
      onEvent,
    });
    return outcomes;
  }

  private async condition(
    task: Resolved,
    outcomes: ReadonlyMap<string, Promise<ConditionOutcome>>,
  ): Promise<ConditionEnd> {
    const outcome = await outcomes.get(task.id);
    if (outcome === undefined) throw new Error(`Bug: ${task.id} was not planned`);
    const { status, startedAt, endedAt } = outcome;
    this.answer({
      task: task.id,
      status: status === 'succeeded' ? 'success' : status === 'failed' ? 'failure' : 'skipped',
      output: `${renderOutcome(outcome)}\n`,
      startedAt,
      endedAt,
    });
    return endOf(outcome);
  }

  private async compare(task: Resolved, running: ReadonlyMap<string, Promise<ConditionEnd>>): Promise<void> {
    const { experiment } = task;
    const own = this.conditions.get(experiment) ?? [];
    const ended = new Map<string | undefined, ConditionEnd | undefined>();
    for (const { id, condition } of own) ended.set(condition, await running.get(id));
    // What is not among the tasks came from Nx's cache.
    const ends = conditionsOf(this.graph, experiment).map(
      (condition) => ended.get(condition) ?? { condition, succeeded: true, missing: undefined },
    );
    const startedAt = Date.now();
    const answer = (status: TaskOutcome['status'], output: string): void =>
      this.answer({ task: task.id, status, output, startedAt, endedAt: Date.now() });
    const comparable = this.hooks.signal.aborted ? undefined : comparableOf(ends);
    if (comparable === undefined)
      return answer('skipped', `${experiment}: not compared, because a condition did not succeed\n`);
    const comparison = await this.comparisons.compare(experiment, comparable);
    const table = comparison.model === undefined ? '' : renderTable(comparison.model);
    if (comparison.ok) return answer('success', table);
    const problems = comparison.problems.map((problem) => renderProblem(experiment, problem)).join('');
    answer('failure', `${table}${table === '' ? '' : '\n'}${problems}`);
  }

  private configuredWorkers(task: Resolved): number {
    return this.graph.experiments.get(task.experiment)?.config.execution.workers ?? 1;
  }
}

function itemOf({ experiment, condition = '', shard, merges }: Resolved): PlanRef {
  return { experiment, condition, shard, merges };
}

/** Tasks of one batch may come with different overrides when several were asked for. */
function groupByOverrides(tasks: readonly Resolved[]) {
  const groups = new Map<
    string,
    [{ replicates?: number | undefined; seed?: number | undefined; workers?: number | undefined }, Resolved[]]
  >();
  for (const task of tasks) {
    const { replicates, seed, workers } = task.options;
    const key = JSON.stringify([replicates, seed, workers]);
    const group = groups.get(key) ?? [{ replicates, seed, workers }, []];
    group[1].push(task);
    groups.set(key, group);
  }
  return groups;
}

function inOrder(tasks: readonly Resolved[]): Resolved[] {
  return [...tasks].sort((a, b) => Number(a.condition === undefined) - Number(b.condition === undefined));
}

interface LoadedGraph {
  readonly graph: Graph;
  readonly projectGraph: ProjectGraph;
  /** By project. */
  readonly experimentOf: ReadonlyMap<string, string>;
}

/** Reads the configs of these projects and of all that they depend on. */
function loadGraph(
  root: string,
  projectGraph: ProjectGraph | undefined,
  projects: readonly string[],
): LoadedGraph | string {
  if (projectGraph === undefined)
    return 'nx-experiments needs the project graph, which this version of Nx did not pass.';
  const projectByFile = new Map<string, string>();
  const visited = new Set<string>();
  const waiting = [...projects];
  for (let project = waiting.pop(); project !== undefined; project = waiting.pop()) {
    if (visited.has(project)) continue;
    visited.add(project);
    const { root: folder, targets = {} } = projectGraph.nodes[project]?.data ?? {};
    // What is shared with experiments may have a config.yaml that is none of ours.
    if (folder === undefined || !Object.values(targets).some(({ executor }) => executor === EXECUTOR))
      continue;
    const file = ['config.yaml', 'config.yml']
      .map((name) => (folder === '.' ? name : `${folder}/${name}`))
      .find((path) => existsSync(join(root, path)));
    if (file === undefined) continue;
    projectByFile.set(file, project);
    waiting.push(...(projectGraph.dependencies[project] ?? []).map((dependency) => dependency.target));
  }
  // Nx has just asked for the projects: what it parsed for them is still known.
  const { graph, diagnostics, texts } = readExperiments(
    root,
    [...projectByFile.keys()].sort(),
    InferenceCache.of(root).configs,
  );
  if (diagnostics.length > 0) {
    return diagnostics
      .map((diagnostic) => formatDiagnostic(diagnostic, (file) => texts.get(file)))
      .join('\n\n');
  }
  const experimentOf = new Map<string, string>();
  for (const { name, config } of graph.experiments.values()) {
    const project = projectByFile.get(config.file);
    if (project !== undefined) experimentOf.set(project, name);
  }
  return { graph, projectGraph, experimentOf };
}

function resolveTask(
  task: ExperimentTask,
  { graph, projectGraph, experimentOf: experiments }: LoadedGraph,
  plugin: ResolvedOptions,
): Resolved | string {
  const experiment = experiments.get(task.project);
  if (experiment === undefined) {
    return `The project "${task.project}" has no config.yaml of an experiment, but its target "${task.target}" uses the executor nx-experiments:run.`;
  }
  const options = parseRunOptions(task.options);
  if ('problem' in options) return options.problem;
  const known = conditionsOf(graph, experiment);
  const { replicates, config } = experimentOf(graph, experiment);
  const count = shardCount(replicates, config.execution, plugin.shardTimeMs);
  const { condition, shard: shardText, shards: merges } = options;
  const shard = shardText === undefined ? undefined : parseShard(shardText);
  const own = inferredTarget(task.target, plugin.targetName, known, count);
  if (condition !== undefined && (!known.includes(condition) || (own && condition !== own.condition))) {
    const targets = known.map((name) => `${task.project}:${conditionTarget(plugin.targetName, name)}`);
    return `"--condition=${condition}" cannot be given to ${task.id}: every condition is a target of its own. Run one of: ${targets.join(', ')}.`;
  }
  if (shardText !== undefined && (shard === undefined || (own && shardText !== own.shard)))
    return `"--shard=${shardText}" cannot be given to ${task.id}: every shard is a target of its own, such as ${task.project}:${conditionTarget(plugin.targetName, condition ?? '', { k: 1, n: count ?? 4 })}.`;
  if (merges !== undefined && (!Number.isInteger(merges) || merges < 1 || (own && merges !== own.merges)))
    return `"--shards=${merges}" cannot be given to ${task.id}: execution.shards of ${config.file} says how many there are.`;
  const resolved = { ...task, options, experiment, condition, shard, merges };
  return (own && lostDependencies(resolved, graph, projectGraph, plugin.targetName)) ?? resolved;
}

/** What the inferred target of a name does. @returns undefined for a target that somebody has written */
function inferredTarget(
  target: string,
  targetName: string,
  conditions: readonly string[],
  shards: number | undefined,
): { condition?: string; shard?: string | undefined; merges?: number | undefined } | undefined {
  if (target === targetName) return {};
  if (!target.startsWith(`${targetName}--`)) return undefined;
  const rest = target.slice(targetName.length + 2);
  // No condition's name ends like that.
  const shard = SHARD_SUFFIX.exec(rest)?.[1];
  if (shard === undefined) return conditions.includes(rest) ? { condition: rest, merges: shards } : undefined;
  const condition = rest.slice(0, -`--${shard}`.length);
  return conditions.includes(condition) ? { condition, shard } : undefined;
}
