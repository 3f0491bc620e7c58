import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { sha256 } from '../base/digest.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { experimentOf, type Graph } from '../graph/graph.ts';
import { manifestPath } from '../io/condition-folder.ts';
import type { Interpreters } from '../io/python.ts';
import { compareConditions, type ReportModel, type Verdict } from '../report/model.ts';
import type { WorkerPool } from '../workers/pool.ts';
import type { Comparable } from './comparable.ts';
import { basisOf, factsOf, gatherDossier, ReportSources } from './dossier.ts';
import { ReplicateError } from './failures.ts';
import { verifyHypotheses } from './hypotheses.ts';
import { type ConditionManifest, parseManifest } from './manifest.ts';
import { RESULTS } from './plan.ts';
import { writeReports } from './write-reports.ts';

export type Comparison =
  | { readonly ok: true; readonly model: ReportModel }
  /** @property model what could be compared, when a condition, a gate or a verifier is what failed */
  | { readonly ok: false; readonly message: string; readonly model?: ReportModel };

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
        message: `${relative(root, path)} ${what}. Run the condition "${condition}" of "${name}" again.`,
      };
    }
    manifests.push(manifest);
    digests.set(condition, sha256(text));
  }
  let verdicts: Verdict[];
  try {
    verdicts = await verifyHypotheses(root, node, manifests, pool, interpreters);
  } catch (thrown) {
    if (thrown instanceof ReplicateError) return { ok: false, message: thrown.message };
    throw thrown;
  }
  const model = compareConditions(
    { name, description: node.config.description, facts: factsOf(graph, name, digests), missing },
    manifests,
    verdicts,
  );
  const sources = new ReportSources(root, graph, name);
  await writeReports(results, basisOf(sources, model), () => gatherDossier(sources, model, manifests));
  const problem = problemOf(model, unsuccessful);
  return problem === undefined ? { ok: true, model } : { ok: false, message: problem, model };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Why the comparison fails although there is one: the first reason that there is. */
function problemOf({ verdicts }: ReportModel, unsuccessful: readonly string[]): string | undefined {
  if (unsuccessful.length > 0) {
    const which = unsuccessful.length === 1 ? 'a condition' : `${unsuccessful.length} conditions`;
    return `${which} did not succeed: ${unsuccessful.join(', ')}`;
  }
  for (const { hypothesis, result } of verdicts) {
    if (!result.ok) return `hypothesis "${hypothesis}": ${result.message}`;
  }
  return verdicts.find(({ gate }) => gate !== undefined)?.gate;
}
