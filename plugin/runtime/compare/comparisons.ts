import { join, relative } from 'node:path';
import { REPORT_FOLDER } from '../../base/names.ts';
import { conditionsOf } from '../../graph/conditions.ts';
import { experimentOf, type Graph } from '../../graph/graph.ts';
import { Batches } from '../../io/batches.ts';
import { relativePath } from '../../io/paths.ts';
import type { Interpreters } from '../../io/python/interpreter.ts';
import { compareConditions, type ReportModel, type Verdict } from '../../report/model.ts';
import { problemsOf } from '../../report/problems.ts';
import type { WorkerPool } from '../../workers/pool/worker-pool.ts';
import type { Comparable } from '../comparable.ts';
import { ReplicateError } from '../failures.ts';
import type { ConditionManifest } from '../manifest.ts';
import { RESULTS } from '../plan.ts';
import { basisOf, factsOf, gatherDossier, ReportSources } from './dossier.ts';
import { verifyHypotheses } from './hypotheses.ts';
import { ResultsReader } from './results-reader.ts';
import { writeReports } from './write-reports.ts';

export interface Comparison {
  /** A sentence each: what cannot be read, gates that are not passed, reports that cannot be written. */
  readonly problems: readonly string[];
  /** Undefined when there was nothing to compare. */
  readonly model: ReportModel | undefined;
}

/** Compares the experiments of one run. */
export class Comparisons {
  readonly results: ResultsReader;
  private readonly batches = new Batches();

  constructor(
    private readonly root: string,
    private readonly graph: Graph,
    private readonly pool: WorkerPool,
    private readonly interpreters: Interpreters,
  ) {
    this.results = new ResultsReader(root, graph);
  }

  /** Reads the results of these conditions, all unless told otherwise, applies the hypotheses and writes the reports. */
  async compare(
    name: string,
    { conditions, missing, unsuccessful }: Comparable = {
      conditions: conditionsOf(this.graph, name),
      missing: [],
      unsuccessful: [],
    },
  ): Promise<Comparison> {
    await this.batches.take();
    const { root, graph, pool, interpreters } = this;
    const node = experimentOf(graph, name);
    const manifests: ConditionManifest[] = [];
    const digests = new Map<string, string>();
    for (const condition of conditions) {
      const { path, digest, manifest } = this.results.of({ experiment: name, condition });
      if (digest === undefined || manifest === undefined) {
        const what = digest === undefined ? 'is missing' : 'is damaged';
        const remedy = `Run the condition "${condition}" of "${name}" again.`;
        return { problems: [`${relative(root, path)} ${what}. ${remedy}`], model: undefined };
      }
      manifests.push(manifest);
      digests.set(condition, digest);
    }
    const unpaired = otherSeed(manifests);
    if (unpaired !== undefined) return { problems: [unpaired], model: undefined };
    let verdicts: Verdict[];
    try {
      verdicts = await verifyHypotheses(root, node, manifests, pool, interpreters);
    } catch (thrown) {
      if (thrown instanceof ReplicateError) return { problems: [thrown.message], model: undefined };
      throw thrown;
    }
    const model = compareConditions(
      { name, description: node.config.description, facts: factsOf(graph, name, digests), missing },
      manifests,
      verdicts,
    );
    // Gates are for what has run as it should.
    const problems = unsuccessful.length > 0 ? [] : problemsOf(model);
    const trouble = await this.report(model, manifests);
    return { problems: trouble === undefined ? problems : [...problems, trouble], model };
  }

  /** Tells that no condition runs any more: comparisons are all that is left to do. */
  hurry(): void {
    this.batches.hurry();
  }

  /** Writes the reports. @returns why they could not be written, if so */
  private async report(
    model: ReportModel,
    manifests: readonly ConditionManifest[],
  ): Promise<string | undefined> {
    const { root, graph } = this;
    const results = join(root, experimentOf(graph, model.experiment).config.folder, RESULTS);
    const sources = new ReportSources(root, graph, this.results);
    try {
      await writeReports(results, basisOf(sources, model), () => gatherDossier(sources, model, manifests));
      return undefined;
    } catch (thrown) {
      const { syscall, message } = thrown as NodeJS.ErrnoException;
      if (syscall === undefined) throw thrown;
      // The path in the message may be that of a folder which is gone before anyone can look at it.
      const why = message.replace(/, \w+ '.*'$/, '');
      return `${relativePath(root, join(results, REPORT_FOLDER))} could not be written: ${why}`;
    }
  }
}

/** Replicates are compared with those of the same number, which had the same seed: else chance would pass for a treatment. */
function otherSeed(manifests: readonly ConditionManifest[]): string | undefined {
  const seeds = new Map<number, { readonly seed: number; readonly condition: string }>();
  for (const { experiment, condition, replicates } of manifests) {
    for (const { replicate, seed } of replicates) {
      const first = seeds.get(replicate) ?? { seed, condition };
      seeds.set(replicate, first);
      if (first.seed === seed) continue;
      return `replicate ${replicate} had the seed ${first.seed} under "${first.condition}" and ${seed} under "${condition}", so that they are no pair. Run the conditions of "${experiment}" again with one seed.`;
    }
  }
  return undefined;
}
