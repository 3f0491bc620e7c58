import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { SettingsError } from '../base/settings-error.ts';
import { chosenConditions, conditionsOf } from '../graph/conditions.ts';
import { withLateOptimization } from '../io/late-optimization.ts';
import type { Interpreters } from '../io/python/interpreter.ts';
import { parseRunOptions } from '../nx/run-options.ts';
import { openStore, type StoreOptions } from '../nx/store-options.ts';
import type { ReportModel } from '../report/model.ts';
import { comparableOf, endOf } from '../runtime/comparable.ts';
import { Comparisons } from '../runtime/compare/comparisons.ts';
import { reportsAhead } from '../runtime/compare/write-reports.ts';
import type { ConditionOutcome, RunEvent } from '../runtime/events.ts';
import { type PlannedCondition, planConditions, withUpstream } from '../runtime/plan.ts';
import { runPlan } from '../runtime/run/runner.ts';
import { workersOf } from '../workers/create-worker.ts';
import type { FunctionLoader } from '../workers/function-loader.ts';
import { InlineLoader } from '../workers/inline-loader.ts';
import { WorkerPool } from '../workers/pool/worker-pool.ts';
import { collectResult, type RanCondition } from './collect-result.ts';
import type { ResolvedExperiments } from './origin.ts';
import type { Result } from './result.ts';
import type { GraphRunOptions } from './run-options.ts';
import { interpretersOf, storeOf } from './settings-of.ts';
import { Told } from './told.ts';

/** Hears of what is finished while the rest still runs. */
export interface RunListener {
  readonly onCondition: (ran: RanCondition) => void;
  /** @param model undefined when a condition did not succeed */
  readonly onResult: (result: Result, model: ReportModel | undefined) => void;
}

/** Runs every experiment of a graph. Rejects only for options that are wrong, and with what `onEvent` throws. @throws SettingsError */
export async function runGraph(
  experiments: ResolvedExperiments,
  options: GraphRunOptions,
  listener?: RunListener,
): Promise<Map<string, Result>> {
  const { graph } = experiments;
  checkOptions(options);
  const wanted = graph.order.flatMap((experiment) =>
    chosenConditions(graph, experiment, options.treatments).map((condition) => ({ experiment, condition })),
  );
  const { replicates, seed, workers } = options;
  const plan = planConditions(graph, withUpstream(graph, wanted), { replicates, seed, workers });
  const run = new GraphRun(experiments, plan, options, storeOf(experiments.root, options.store), listener);
  return withLateOptimization(() => run.run());
}

class GraphRun {
  private readonly ran = new Map<string, RanCondition[]>();
  private readonly results = new Map<string, Result>();
  private readonly pool: WorkerPool;
  private readonly interpreters: Interpreters;
  private readonly loader: () => FunctionLoader;
  private readonly workers: number;
  private readonly comparisons: Comparisons;

  constructor(
    private readonly experiments: ResolvedExperiments,
    private readonly plan: readonly PlannedCondition[],
    private readonly options: GraphRunOptions,
    private readonly store: StoreOptions,
    private readonly listener: RunListener | undefined,
  ) {
    const { root, functions, graph } = experiments;
    this.interpreters = interpretersOf(root);
    let loader: FunctionLoader | undefined;
    this.loader = () => {
      loader ??= new InlineLoader(root, functions);
      return loader;
    };
    this.workers = options.workers ?? availableParallelism();
    const configured = [...graph.experiments.values()].map(({ config }) => config.execution.workers ?? 1);
    const inline = { function: this.late('function'), find: this.late('find') } as FunctionLoader;
    this.pool = new WorkerPool(Math.max(this.workers, ...configured), workersOf(inline));
    this.comparisons = new Comparisons(root, graph, this.pool, this.interpreters);
  }

  async run(): Promise<Map<string, Result>> {
    const { experiments, options, plan, pool } = this;
    const comparing: Promise<void>[] = [];
    const counts = new Map<string, number>();
    for (const { experiment } of plan) counts.set(experiment, (counts.get(experiment) ?? 0) + 1);
    const prepare = reportsAhead();
    const told = new Told(options);
    const finish = async (outcome: ConditionOutcome): Promise<void> => {
      const ran = { outcome, manifest: this.manifestOf(outcome) };
      const { experiment } = outcome.planned;
      const all = [...(this.ran.get(experiment) ?? []), ran];
      this.ran.set(experiment, all);
      this.listener?.onCondition(ran);
      if (all.length === counts.get(experiment)) {
        await this.compare(experiment, all);
      }
    };
    try {
      await runPlan(plan, {
        root: experiments.root,
        installedAt: experiments.installedAt,
        pool,
        interpreters: this.interpreters,
        workers: this.workers,
        signal: told.signal,
        failFast: options.failFast ?? false,
        store: openStore(this.store),
        strategy: options.strategy ?? 'resume',
        onEvent: (event: RunEvent) => {
          prepare(event);
          told.of(event);
          if (event.type !== 'condition-finished') return;
          const finishing = finish(event.outcome);
          finishing.catch(() => {}); // it is awaited below, when the others have finished
          comparing.push(finishing);
        },
      });
      this.comparisons.hurry();
      await Promise.all(comparing);
      told.check();
      this.keepParsed();
    } finally {
      await pool.close();
    }
    return new Map(experiments.graph.order.flatMap((name) => this.entry(name)));
  }

  /** Only beside the store that this run has used: a run leaves nothing elsewhere. */
  private keepParsed(): void {
    const { cache, keptIn } = this.experiments.parsed ?? {};
    if (keptIn !== undefined && keptIn === this.store.folder && existsSync(keptIn)) cache?.save();
  }

  private entry(name: string): [string, Result][] {
    const result = this.results.get(name);
    return result === undefined ? [] : [[name, result]];
  }

  private async compare(experiment: string, ran: readonly RanCondition[]): Promise<void> {
    const { root, graph } = this.experiments;
    const order = conditionsOf(graph, experiment);
    const sorted = [...ran].sort(
      (a, b) => order.indexOf(a.outcome.planned.condition) - order.indexOf(b.outcome.planned.condition),
    );
    const comparable = this.options.signal?.aborted
      ? undefined
      : comparableOf(sorted.map(({ outcome }) => endOf(outcome)));
    // What became of the conditions is told by their outcomes.
    const comparison = comparable && (await this.comparisons.compare(experiment, comparable));
    const { model, problems = [] } = comparison ?? {};
    const verdicts = model?.verdicts ?? [];
    const result = collectResult(root, graph, experiment, sorted, { verdicts, problems }, this.loader);
    this.results.set(experiment, result);
    this.listener?.onResult(result, model);
  }

  /** Also of a condition whose results lay in place; never of one that did not finish. */
  private manifestOf({ planned, status, manifest }: ConditionOutcome): RanCondition['manifest'] {
    return manifest ?? (status === 'succeeded' ? this.comparisons.results.of(planned).manifest : undefined);
  }

  /** The loader brings a compiler with it: most graphs never need it here. */
  private late(method: keyof FunctionLoader): FunctionLoader[keyof FunctionLoader] {
    return async (...args) => this.loader()[method](...args) as never;
  }
}

function checkOptions(options: GraphRunOptions): void {
  if (options.treatments !== undefined && !Array.isArray(options.treatments))
    throw new SettingsError('"treatments" must be a list of names, such as ["high_lr"].');
  const { treatments: _, store: __, signal: ___, onEvent: ____, ...rest } = options;
  const parsed = parseRunOptions(rest as Record<string, unknown>);
  if ('problem' in parsed) throw new SettingsError(parsed.problem.replaceAll('"--', '"'));
}
