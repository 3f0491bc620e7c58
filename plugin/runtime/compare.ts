import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { sha256 } from '../base/digest.ts';
import { REPORT_FOLDER } from '../base/names.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { experimentOf, type Graph } from '../graph/graph.ts';
import { manifestPath } from '../io/condition-folder.ts';
import { relativePath } from '../io/paths.ts';
import type { Interpreters } from '../io/python.ts';
import { compareConditions, type ReportModel, type Verdict } from '../report/model.ts';
import { problemsOf } from '../report/problems.ts';
import type { WorkerPool } from '../workers/pool/worker-pool.ts';
import type { Comparable } from './comparable.ts';
import { basisOf, factsOf, gatherDossier, ReportSources } from './dossier.ts';
import { ReplicateError } from './failures.ts';
import { verifyHypotheses } from './hypotheses.ts';
import { type ConditionManifest, parseManifest } from './manifest.ts';
import { RESULTS } from './plan.ts';
import { writeReports } from './write-reports.ts';

export type Comparison =
  | { readonly ok: true; readonly model: ReportModel }
  /**
   * @property problems a sentence each
   * @property model what could be compared, when a condition, a gate or a verifier is what failed
   */
  | { readonly ok: false; readonly problems: readonly string[]; readonly model?: ReportModel };

/** Reads the results of these conditions, all unless told otherwise, applies the hypotheses and writes the reports. */
export async function compareExperiment(
  root: string,
  graph: Graph,
  name: string,
  { pool, interpreters }: { readonly pool: WorkerPool; readonly interpreters: Interpreters },
  { conditions, missing, unsuccessful }: Comparable = {
    conditions: conditionsOf(graph, name),
    missing: [],
    unsuccessful: [],
  },
): Promise<Comparison> {
  const node = experimentOf(graph, name);
  const results = join(root, node.config.folder, RESULTS);
  const manifests: ConditionManifest[] = [];
  const digests = new Map<string, string>();
  for (const condition of conditions) {
    const path = manifestPath(results, condition);
    const text = readText(path);
    const manifest = text === undefined ? undefined : parseManifest(text);
    if (text === undefined || manifest === undefined) {
      const what = text === undefined ? 'is missing' : 'is damaged';
      return {
        ok: false,
        problems: [`${relative(root, path)} ${what}. Run the condition "${condition}" of "${name}" again.`],
      };
    }
    manifests.push(manifest);
    digests.set(condition, sha256(text));
  }
  let verdicts: Verdict[];
  try {
    verdicts = await verifyHypotheses(root, node, manifests, pool, interpreters);
  } catch (thrown) {
    if (thrown instanceof ReplicateError) return { ok: false, problems: [thrown.message] };
    throw thrown;
  }
  const model = compareConditions(
    { name, description: node.config.description, facts: factsOf(graph, name, digests), missing },
    manifests,
    verdicts,
  );
  const sources = new ReportSources(root, graph, name);
  try {
    await writeReports(results, basisOf(sources, model), () => gatherDossier(sources, model, manifests));
  } catch (thrown) {
    const { syscall, message } = thrown as NodeJS.ErrnoException;
    if (syscall === undefined) throw thrown;
    // The path in the message may be that of a folder which is gone before anyone can look at it.
    const why = message.replace(/, \w+ '.*'$/, '');
    const report = relativePath(root, join(results, REPORT_FOLDER));
    return { ok: false, problems: [`${report} could not be written: ${why}`], model };
  }
  const problems = unsuccessful.length > 0 ? [withoutSuccess(unsuccessful)] : problemsOf(model);
  return problems.length === 0 ? { ok: true, model } : { ok: false, problems, model };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function withoutSuccess(conditions: readonly string[]): string {
  const which = conditions.length === 1 ? 'a condition' : `${conditions.length} conditions`;
  return `${which} did not succeed: ${conditions.join(', ')}`;
}
