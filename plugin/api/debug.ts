import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BASELINE, suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { openStore } from '../nx/store-options.ts';
import { renderOutcome, TerminalReporter } from '../nx/terminal.ts';
import type { ConditionOutcome } from '../runtime/events.ts';
import { conditionId, planConditions, RESULTS, type RunOverrides, withUpstream } from '../runtime/plan.ts';
import { runPlan } from '../runtime/run/runner.ts';
import { workersOf } from '../workers/create-worker.ts';
import { InlineLoader } from '../workers/inline-loader.ts';
import { WorkerPool } from '../workers/pool/worker-pool.ts';
import { collectResult } from './collect-result.ts';
import type { ResolvedExperiments } from './origin.ts';
import type { ReplicateMetrics, ResultArtifact } from './result.ts';
import { interpretersOf, storeOf } from './settings-of.ts';
import type { Shape } from './shape.ts';

/** How one replicate is debugged. */
export interface DebugOptions {
  /** Another root seed. */
  readonly seed?: number;
  /** Takes one line of what happens. Default: prints it on stderr. */
  readonly print?: (line: string) => void;
}

/** What the one replicate came to. */
export interface DebugResult<S extends Shape = Shape> {
  readonly metrics: ReplicateMetrics<S['metric']>;
  readonly artifacts: { readonly [Output in keyof S['outputs']]: ResultArtifact<S['outputs'][Output]> };
}

/** One replicate of one condition, in this process. @throws what a step threw, as it was */
export async function debugExperiment<S extends Shape>(
  experiments: ResolvedExperiments,
  name: string,
  treatment: string = BASELINE,
  { seed, print = (line) => process.stderr.write(`${line}\n`) }: DebugOptions = {},
): Promise<DebugResult<S>> {
  const { root, graph, functions } = experiments;
  const known = conditionsOf(graph, name);
  if (!known.includes(treatment)) {
    throw new SettingsError(
      `"${name}" has no condition "${treatment}". ${suggestion(treatment, known, 'conditions')}`,
    );
  }
  const ref = { experiment: name, condition: treatment };
  const overrides: RunOverrides = { replicates: 1, seed, results: `${RESULTS}/.debug` };
  const plan = planConditions(graph, withUpstream(graph, [ref]), overrides);
  const upstream = plan.filter(({ id }) => id !== conditionId(ref));
  const [own] = plan.filter(({ id }) => id === conditionId(ref));
  if (own === undefined) throw new Error(`Bug: ${name} was not planned`);
  const loader = new InlineLoader(root, functions);
  let thrown: { readonly error: unknown } | undefined;
  const pool = new WorkerPool(
    1,
    workersOf(loader, (error) => {
      thrown ??= { error };
    }),
  );
  const reporter = new TerminalReporter(print);
  const interpreters = interpretersOf(root);
  const shared = {
    root,
    pool,
    interpreters,
    workers: 1,
    signal: new AbortController().signal,
    failFast: true,
  } as const;
  const run = { ...shared, strategy: 'resume', onEvent: reporter.report } as const;
  const before = process.cwd();
  try {
    const made = await runPlan(upstream, { ...run, store: openStore(storeOf(root, undefined)) });
    for (const outcome of made) print(renderOutcome(outcome));
    const failed = made.find(({ status }) => status !== 'succeeded');
    if (failed !== undefined) throw thrown?.error ?? new Error(renderOutcome(failed));
    print(`${own.id}: seed ${own.seed}, context ${JSON.stringify(own.context)}`);
    // Steps of a folder run in it; a definition runs where its program does.
    if (own.definition === undefined) process.chdir(join(root, own.folder));
    else mkdirSync(join(root, own.folder), { recursive: true });
    const [outcome] = await runPlan([own], { ...run, store: undefined, inline: true });
    if (outcome === undefined) throw new Error('Bug: no outcome');
    print(renderOutcome(outcome));
    if (outcome.status !== 'succeeded') throw thrown?.error ?? new Error(renderOutcome(outcome));
    return resultOf(experiments, outcome, loader);
  } finally {
    process.chdir(before);
    await pool.close();
  }
}

function resultOf<S extends Shape>(
  { root, graph }: ResolvedExperiments,
  outcome: ConditionOutcome,
  loader: InlineLoader,
): DebugResult<S> {
  const { experiment, condition } = outcome.planned;
  const ran = [{ outcome, manifest: outcome.manifest }];
  const comparison = { verdicts: [], problems: [] };
  const result = collectResult(root, graph, experiment, ran, comparison, () => loader);
  return {
    metrics: result.metrics[condition]?.[0] ?? {},
    artifacts: result.artifacts[condition]?.[0] ?? {},
  } as DebugResult<S>;
}
