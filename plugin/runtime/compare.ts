import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { REPORT_FOLDER } from '../base/names.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { experimentOf, type Graph } from '../graph/graph.ts';
import { manifestPath } from '../io/condition-folder.ts';
import type { Interpreters } from '../io/python.ts';
import { replaceFolder } from '../io/replace-folder.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { compareConditions, type ReportModel, type Verdict } from '../report/model.ts';
import { renderSummary } from '../report/summary.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { ReplicateError } from './failures.ts';
import { verifyHypotheses } from './hypotheses.ts';
import { type ConditionManifest, parseManifest } from './manifest.ts';
import { RESULTS } from './plan.ts';

export type Comparison =
  | { readonly ok: true; readonly model: ReportModel }
  /** @property model what could be compared, when a gate or a verifier is what failed */
  | { readonly ok: false; readonly message: string; readonly model?: ReportModel };

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
    return { ok: false, message: `hypothesis "${broken.hypothesis}": ${broken.result.message}`, model };
  const [gate] = verdicts.flatMap((verdict) => verdict.gate ?? []);
  if (gate !== undefined) return { ok: false, message: gate, model };
  return { ok: true, model };
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
