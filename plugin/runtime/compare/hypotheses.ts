import { join } from 'node:path';
import { BASELINE, suggestion } from '../../base/names.ts';
import type { ExperimentNode } from '../../graph/graph.ts';
import { modulesOf } from '../../io/code/modules.ts';
import { findTsconfig } from '../../io/code/tsconfig.ts';
import type { Interpreters } from '../../io/python/interpreter.ts';
import { type Draft, judge, testValues } from '../../report/judge.ts';
import type { Verdict } from '../../report/model.ts';
import { BUILT_IN_TESTS, isBuiltInTest } from '../../statistics/built-in.ts';
import type { WorkerPool } from '../../workers/pool/worker-pool.ts';
import { describeFailure, type RunFailure } from '../failures.ts';
import type { ConditionManifest, Metrics } from '../manifest.ts';
import { isInlineDefinition } from '../plan.ts';
import { verifierOf } from '../run/jobs.ts';
import { checkedVerdict } from './checked-verdict.ts';

/**
 * Applies the hypotheses of an experiment: to each group of metrics, of each condition against the baseline; corrects the
 * p-values for their number, and says which gates are not passed.
 *
 * @throws ReplicateError when there is no interpreter for the verifiers
 */
export async function verifyHypotheses(
  root: string,
  { config }: ExperimentNode,
  manifests: readonly ConditionManifest[],
  pool: WorkerPool,
  interpreters: Interpreters,
): Promise<Verdict[]> {
  const baseline = manifests.find((manifest) => manifest.condition === BASELINE);
  if (baseline === undefined || config.hypotheses.length === 0) return [];
  const folder = join(root, config.folder);
  const module = modulesOf(folder, config.name.value, config.definition).verifiers;
  const shared = {
    worker: isInlineDefinition(config.definition)
      ? ({ type: 'inline' } as const)
      : await verifierOf(module, config, interpreters),
    root,
    folder,
    tsconfig: findTsconfig(root, folder),
    module,
  };
  const recorded = recordedMetrics(manifests);
  const drafts: Draft[] = [];
  for (const hypothesis of config.hypotheses) {
    const { name, verifier, metricGroups } = hypothesis;
    const common = { of: hypothesis, hypothesis: name, verifier };
    for (const metrics of metricGroups) {
      const unknown = metrics.find((metric) => recorded.length > 0 && !recorded.includes(metric));
      for (const treatment of manifests.filter((manifest) => manifest !== baseline)) {
        const { condition } = treatment;
        if (unknown !== undefined) {
          const message = `no replicate recorded the metric "${unknown}". ${suggestion(unknown, recorded, 'metrics')}`;
          drafts.push({ ...common, condition, metrics, builtIn: false, result: { ok: false, message } });
          continue;
        }
        const builtIn = isBuiltInTest(verifier);
        const answer =
          builtIn && module === undefined
            ? undefined
            : await pool.verify({
                ...shared,
                verifier,
                baseline: collectMetrics(baseline, metrics),
                treatment: collectMetrics(treatment, metrics),
              });
        if (builtIn && (answer === undefined || isMissing(answer))) {
          for (const metric of metrics) {
            const values = testValues(hypothesis, metric, baseline, treatment);
            drafts.push({ ...common, condition, metrics: [metric], builtIn, result: { ok: true, values } });
          }
          continue;
        }
        if (answer === undefined) throw new Error('Bug: a verifier without an answer');
        const checked = 'verdict' in answer ? checkedVerdict(verifier, answer.verdict) : answer;
        const result =
          'verdict' in checked
            ? ({ ok: true, values: checked.verdict } as const)
            : ({ ok: false, message: messageOf(checked.failure, verifier) } as const);
        drafts.push({ ...common, condition, metrics, builtIn: false, result });
      }
    }
  }
  return judge(drafts);
}

/** In any condition; nothing when no replicate finished, or none records metrics. */
function recordedMetrics(manifests: readonly ConditionManifest[]): string[] {
  const names = new Set<string>();
  for (const { replicates } of manifests)
    for (const { metrics } of replicates) for (const name of Object.keys(metrics)) names.add(name);
  return [...names].sort();
}

/** A verifier that is not found may be meant for a built-in test. */
function messageOf(failure: RunFailure, verifier: string): string {
  const message = describeFailure(failure);
  if (failure.reason !== 'function-missing' && failure.reason !== 'module-missing') return message;
  return `${message} ${suggestion(verifier, [...BUILT_IN_TESTS], 'built-in tests')}`;
}

/** The module has no function of that name: then the built-in one is meant. */
function isMissing(answer: Awaited<ReturnType<WorkerPool['verify']>>): boolean {
  return 'failure' in answer && answer.failure.reason === 'function-missing';
}

/** Values in replicate order; a replicate that did not record a metric has NaN there, so that pairs stay pairs. */
function collectMetrics(manifest: ConditionManifest, names: readonly string[]): Metrics {
  const replicates = [
    ...manifest.replicates.map(({ replicate, metrics }) => ({ replicate, metrics })),
    ...manifest.failed.map(({ replicate }) => ({ replicate, metrics: {} as Metrics })),
  ].sort((a, b) => a.replicate - b.replicate);
  return Object.fromEntries(
    names.map((name) => [
      name,
      replicates.flatMap(({ metrics }) =>
        Object.hasOwn(metrics, name) ? (metrics[name] ?? []) : [Number.NaN],
      ),
    ]),
  );
}
