import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BASELINE, REPORT_FOLDER } from '../base/names.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { type ExperimentNode, experimentOf, type Graph } from '../graph/graph.ts';
import { manifestPath } from '../io/condition-folder.ts';
import { findTsconfig, modulesOf } from '../io/modules.ts';
import type { Interpreters } from '../io/python.ts';
import { replaceFolder } from '../io/replace-folder.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { compareConditions, type ReportModel, type Verdict } from '../report/model.ts';
import { renderSummary } from '../report/summary.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { describeFailure, ReplicateError } from './failures.ts';
import { verifierOf } from './jobs.ts';
import { type ConditionManifest, type Metrics, parseManifest } from './manifest.ts';
import { isInlineDefinition, RESULTS } from './plan.ts';

export type Comparison =
  | { readonly ok: true; readonly model: ReportModel }
  | { readonly ok: false; readonly message: string };

/** Reads the results of these conditions, all unless told otherwise, applies the hypotheses and writes results/report. */
export async function compareExperiment(
  root: string,
  graph: Graph,
  name: string,
  { pool, interpreters }: { readonly pool: WorkerPool; readonly interpreters: Interpreters },
  conditions: readonly string[] = conditionsOf(graph, name),
): Promise<Comparison> {
  const node = experimentOf(graph, name);
  const manifests: ConditionManifest[] = [];
  for (const condition of conditions) {
    const path = manifestPath(join(root, node.config.folder, RESULTS), condition);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    const manifest = text === undefined ? undefined : parseManifest(text);
    if (manifest === undefined) {
      const what = text === undefined ? 'is missing' : 'is damaged';
      return {
        ok: false,
        message: `${relative(root, path)} ${what}. Run the condition "${condition}" of "${name}" again.`,
      };
    }
    manifests.push(manifest);
  }
  let verdicts: Verdict[];
  try {
    verdicts = await verifyHypotheses(root, node, manifests, pool, interpreters);
  } catch (thrown) {
    if (thrown instanceof ReplicateError) return { ok: false, message: thrown.message };
    throw thrown;
  }
  const model = compareConditions({ name, description: node.config.description }, manifests, verdicts);
  await writeReport(join(root, node.config.folder), model);
  const broken = verdicts.find((verdict) => !verdict.result.ok);
  if (broken && !broken.result.ok)
    return { ok: false, message: `hypothesis "${broken.hypothesis}": ${broken.result.message}` };
  return { ok: true, model };
}

async function verifyHypotheses(
  root: string,
  { config }: ExperimentNode,
  manifests: readonly ConditionManifest[],
  pool: WorkerPool,
  interpreters: Interpreters,
): Promise<Verdict[]> {
  if (config.hypotheses.length === 0) return [];
  const baseline = manifests.find((manifest) => manifest.condition === BASELINE);
  if (baseline === undefined) return [];
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
  const verdicts: Verdict[] = [];
  for (const { name, verifier, metricGroups } of config.hypotheses) {
    for (const metrics of metricGroups) {
      for (const treatment of manifests.filter((manifest) => manifest !== baseline)) {
        const answer = await pool.verify({
          ...shared,
          verifier,
          baseline: collectMetrics(baseline, metrics),
          treatment: collectMetrics(treatment, metrics),
        });
        const result =
          'verdict' in answer
            ? ({ ok: true, values: answer.verdict } as const)
            : ({ ok: false, message: describeFailure(answer.failure) } as const);
        verdicts.push({ hypothesis: name, verifier, condition: treatment.condition, metrics, result });
      }
    }
  }
  return verdicts;
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

async function writeReport(folder: string, model: ReportModel): Promise<void> {
  const report = join(folder, RESULTS, REPORT_FOLDER);
  const growing = join(folder, RESULTS, `.${REPORT_FOLDER}.${process.pid}`);
  await rm(growing, { recursive: true, force: true });
  await mkdir(growing, { recursive: true });
  await writeFile(join(growing, 'summary.json'), renderSummary(model));
  await writeFile(join(growing, 'report.md'), renderMarkdown(model));
  await replaceFolder(growing, report);
}
