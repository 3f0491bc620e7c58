import { availableParallelism } from 'node:os';
import type { ExecutorContext } from '@nx/devkit';
import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { experimentOf, type Graph } from '../graph/graph.ts';
import { VerifierWatch } from '../io/changes/verifier-watch.ts';
import { withLateOptimization } from '../io/late-optimization.ts';
import { Interpreters } from '../io/python/interpreter.ts';
import { renderProblem } from '../report/problems.ts';
import { renderTable } from '../report/table.ts';
import { type ConditionEnd, comparableOf, endOf } from '../runtime/comparable.ts';
import { Comparisons } from '../runtime/compare/comparisons.ts';
import { reportsAhead } from '../runtime/compare/write-reports.ts';
import type { ConditionOutcome, RunEvent } from '../runtime/events.ts';
import { conditionId, type PlanRef, planConditions } from '../runtime/plan.ts';
import { runPlan } from '../runtime/run/runner.ts';
import { workersOf } from '../workers/create-worker.ts';
import { WorkerPool } from '../workers/pool/worker-pool.ts';
import { pluginOptions, resolveOptions } from './options.ts';
import { variableOfFolder } from './own-variables.ts';
import { type ExperimentTask, type ResolvedTask, resolveTasks } from './resolve-tasks.ts';
import { openStore, resolveStore, type StoreOptions } from './store-options.ts';
import { renderOutcome } from './terminal.ts';
import { columnsToFill } from './terminal-width.ts';

export interface TaskOutcome {
  readonly task: string;
  readonly status: 'success' | 'failure' | 'skipped';
  /** Text to show for the task, also when it is replayed from the cache. */
  readonly output: string;
  readonly startedAt: number;
  readonly endedAt: number;
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
    const settings = pluginOptions(context.nxJsonConfiguration);
    const plugin = resolveOptions(settings);
    const { graph, resolved } = resolveTasks(tasks, context, plugin);
    const store = resolveStore(context.root, settings, process.env);
    const interpreters = new Interpreters(context.root, plugin.python);
    const run = new TaskRun(context.root, graph, resolved, store, interpreters, hooks, answer);
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
  private readonly verifiers: VerifierWatch;
  private running: Promise<unknown> = Promise.resolve();
  /** By experiment: its tasks that run a whole condition. */
  private readonly conditions = new Map<string, ResolvedTask[]>();

  constructor(
    private readonly root: string,
    private readonly graph: Graph,
    private readonly tasks: readonly ResolvedTask[],
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
    this.verifiers = new VerifierWatch(root);
  }

  async run(): Promise<void> {
    try {
      const ends = new Map<string, Promise<ConditionEnd>>();
      const comparing: Promise<void>[] = [];
      const conditions = this.runConditions();
      for (const task of inOrder(this.tasks)) {
        if (task.condition === undefined) comparing.push(this.compare(task, ends, this.watchVerifiers(task)));
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
      asItBegan: true,
      onEvent,
    });
    return outcomes;
  }

  private async condition(
    task: ResolvedTask,
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

  /** Nx keeps a comparison under the verifiers that it saw before the run. */
  private watchVerifiers({ experiment }: ResolvedTask): () => string[] {
    const { config } = experimentOf(this.graph, experiment);
    return config.hypotheses.length === 0 ? () => [] : this.verifiers.begin(config.folder);
  }

  private async compare(
    task: ResolvedTask,
    running: ReadonlyMap<string, Promise<ConditionEnd>>,
    changedVerifiers: () => string[],
  ): Promise<void> {
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
    const { problems, model } = await this.comparisons.compare(experiment, comparable);
    const changed = changedVerifiers().map(
      (file) => `${file} changed while it ran: what it says could be of either version. Run it again.`,
    );
    const all = [...withoutSuccess(comparable.unsuccessful), ...problems, ...changed];
    const table = model === undefined ? '' : renderTable(model, { width: columnsToFill() });
    if (all.length === 0) return answer('success', table);
    const text = all.map((problem) => renderProblem(experiment, problem)).join('');
    answer('failure', `${table}${table === '' ? '' : '\n'}${text}`);
  }

  private configuredWorkers(task: ResolvedTask): number {
    return this.graph.experiments.get(task.experiment)?.config.execution.workers ?? 1;
  }
}

function itemOf({ experiment, condition = '', shard, merges }: ResolvedTask): PlanRef {
  return { experiment, condition, shard, merges };
}

/** A sentence about conditions whose own tasks have told why, if there are any. */
function withoutSuccess(conditions: readonly string[]): string[] {
  if (conditions.length === 0) return [];
  const which = conditions.length === 1 ? 'a condition' : `${conditions.length} conditions`;
  return [`${which} did not succeed: ${conditions.join(', ')}`];
}

/** Tasks of one batch may come with different overrides when several were asked for. */
function groupByOverrides(tasks: readonly ResolvedTask[]) {
  const groups = new Map<
    string,
    [
      { replicates?: number | undefined; seed?: number | undefined; workers?: number | undefined },
      ResolvedTask[],
    ]
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

function inOrder(tasks: readonly ResolvedTask[]): ResolvedTask[] {
  return [...tasks].sort((a, b) => Number(a.condition === undefined) - Number(b.condition === undefined));
}
