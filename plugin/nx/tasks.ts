import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ExecutorContext, ProjectGraph } from '@nx/devkit';
import { formatDiagnostic } from '../base/diagnostics.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import type { Graph } from '../graph/graph.ts';
import { readExperiments } from '../io/discover.ts';
import { Interpreters } from '../io/python.ts';
import { renderTable } from '../report/table.ts';
import { compareExperiment } from '../runtime/compare.ts';
import type { ConditionOutcome, RunEvent } from '../runtime/events.ts';
import { planConditions } from '../runtime/plan.ts';
import { runPlan } from '../runtime/runner.ts';
import { workersOf } from '../workers/create-worker.ts';
import { WorkerPool } from '../workers/pool.ts';
import { InferenceCache } from './cache.ts';
import { pluginOptions, resolveOptions } from './options.ts';
import { parseRunOptions, type RunExecutorOptions } from './run-options.ts';
import { openStore, resolveStore, type StoreOptions } from './store-options.ts';
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
    const resolved: Resolved[] = [];
    for (const task of tasks) {
      const found = resolveTask(task, loaded.graph, loaded.experimentOf);
      if (typeof found === 'string') return failAll(found);
      resolved.push(found);
    }
    const settings = pluginOptions(context.nxJsonConfiguration);
    const store = resolveStore(context.root, settings, process.env);
    const interpreters = new Interpreters(context.root, resolveOptions(settings).python);
    await new TaskRun(context.root, loaded.graph, resolved, store, interpreters, hooks, answer).run();
  } catch (thrown) {
    if (thrown instanceof SettingsError) failAll(thrown.message);
    else failAll(`nx-experiments failed: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
  }
}

class TaskRun {
  private readonly pool: WorkerPool;
  private readonly workers: number;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly root: string,
    private readonly graph: Graph,
    private readonly tasks: readonly Resolved[],
    private readonly store: StoreOptions,
    private readonly interpreters: Interpreters,
    private readonly hooks: { readonly signal: AbortSignal; readonly onEvent: (event: RunEvent) => void },
    private readonly answer: (outcome: TaskOutcome) => void,
  ) {
    const asked = tasks.map((task) => task.options.workers ?? this.configuredWorkers(task));
    this.workers = availableParallelism();
    this.pool = new WorkerPool(Math.max(this.workers, ...asked), workersOf());
  }

  async run(): Promise<void> {
    try {
      const finished = new Map<string, Promise<boolean>>();
      const conditions = this.runConditions();
      for (const task of inOrder(this.tasks)) {
        const work =
          task.condition === undefined ? this.compare(task, finished) : this.condition(task, conditions);
        finished.set(task.id, work);
      }
      await Promise.all(finished.values());
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
      outcomes.set(
        task.id,
        new Promise((resolve) => waiting.set(`${task.experiment}/${task.condition}`, resolve)),
      );
    }
    const plan = [...groupByOverrides(tasks).values()].flatMap(([overrides, group]) =>
      planConditions(
        this.graph,
        group.map(({ experiment, condition = '' }) => ({ experiment, condition })),
        overrides,
        tasks.map(({ experiment, condition = '' }) => ({ experiment, condition })),
      ),
    );
    const onEvent = (event: RunEvent): void => {
      this.hooks.onEvent(event);
      if (event.type === 'condition-finished') waiting.get(event.outcome.planned.id)?.(event.outcome);
    };
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
  ): Promise<boolean> {
    const outcome = await outcomes.get(task.id);
    if (outcome === undefined) throw new Error(`Bug: ${task.id} was not planned`);
    const { status, startedAt, endedAt } = outcome;
    const ok = status === 'succeeded';
    this.answer({
      task: task.id,
      status: ok ? 'success' : status === 'failed' ? 'failure' : 'skipped',
      output: `${renderOutcome(outcome)}\n`,
      startedAt,
      endedAt,
    });
    return ok;
  }

  private async compare(task: Resolved, finished: ReadonlyMap<string, Promise<boolean>>): Promise<boolean> {
    const own = this.tasks.filter(
      (other) => other.condition !== undefined && other.experiment === task.experiment,
    );
    const before = await Promise.all(own.map(({ id }) => finished.get(id)));
    const startedAt = Date.now();
    if (before.includes(false) || this.hooks.signal.aborted) {
      const output = `${task.experiment}: not compared, because a condition did not succeed\n`;
      this.answer({ task: task.id, status: 'skipped', output, startedAt, endedAt: Date.now() });
      return false;
    }
    const { pool, interpreters } = this;
    const comparison = await compareExperiment(this.root, this.graph, task.experiment, {
      pool,
      interpreters,
    });
    const output = comparison.ok
      ? renderTable(comparison.model)
      : `${comparison.model ? `${renderTable(comparison.model)}\n` : ''}${task.experiment}: ${comparison.message}\n`;
    this.answer({
      task: task.id,
      status: comparison.ok ? 'success' : 'failure',
      output,
      startedAt,
      endedAt: Date.now(),
    });
    return comparison.ok;
  }

  private configuredWorkers(task: Resolved): number {
    return this.graph.experiments.get(task.experiment)?.config.execution.workers ?? 1;
  }
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

/** Reads the configs of these projects and of all that they depend on. */
function loadGraph(
  root: string,
  projectGraph: ProjectGraph | undefined,
  projects: readonly string[],
): { graph: Graph; experimentOf: ReadonlyMap<string, string> } | string {
  if (projectGraph === undefined)
    return 'nx-experiments needs the project graph, which this version of Nx did not pass.';
  const projectByFile = new Map<string, string>();
  const visited = new Set<string>();
  const waiting = [...projects];
  for (let project = waiting.pop(); project !== undefined; project = waiting.pop()) {
    if (visited.has(project)) continue;
    visited.add(project);
    const folder = projectGraph.nodes[project]?.data.root;
    if (folder === undefined) continue;
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
  return { graph, experimentOf };
}

function resolveTask(
  task: ExperimentTask,
  graph: Graph,
  experiments: ReadonlyMap<string, string>,
): Resolved | string {
  const experiment = experiments.get(task.project);
  if (experiment === undefined) {
    return `The project "${task.project}" has no config.yaml of an experiment, but its target "${task.target}" uses the executor nx-experiments:run.`;
  }
  const options = parseRunOptions(task.options);
  if ('problem' in options) return options.problem;
  const { condition } = options;
  if (condition === undefined) return { ...task, options, experiment, condition };
  const known = conditionsOf(graph, experiment);
  const ownCondition = /--(.+)$/.exec(task.target)?.[1];
  if (!known.includes(condition) || (known.includes(ownCondition ?? '') && condition !== ownCondition)) {
    const targets = known.map((name) => `${task.project}:${task.target.replace(/--.+$/, '')}--${name}`);
    return `"--condition=${condition}" cannot be given to ${task.id}: every condition is a target of its own. Run one of: ${targets.join(', ')}.`;
  }
  return { ...task, options, experiment, condition };
}
