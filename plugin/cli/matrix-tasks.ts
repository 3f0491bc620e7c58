import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Graph } from '../graph/graph.ts';
import type { Interpreters } from '../io/python/interpreter.ts';
import { manifestPath } from '../io/writing/condition-folder.ts';
import { estimateAll } from '../matrix/estimate.ts';
import { contract, type KnownTask } from '../matrix/select.ts';
import type { MatrixTask } from '../matrix/tasks.ts';
import {
  conditionId,
  type PlannedCondition,
  type PlanRef,
  planConditions,
  replicatesOf,
  withUpstream,
} from '../runtime/plan.ts';
import { lanesOf, previewPlan } from '../runtime/run/preview.ts';
import { historyName } from '../runtime/run/reuse.ts';
import type { RunStore } from '../store/store.ts';

/** A task of Nx with the condition that it runs, or the shard of one. */
export interface ConditionTask extends KnownTask, PlanRef {
  readonly project: string;
  readonly target: string;
}

interface Surroundings {
  readonly root: string;
  readonly graph: Graph;
  readonly interpreters: Interpreters;
  readonly store: RunStore | undefined;
}

/**
 * Conditions as tasks of the matrix, with what they are expected to take.
 *
 * @param all everything that Nx would run
 * @param reuse leave out what the store has, and count only what it lacks
 */
export async function matrixTasks(
  all: ReadonlyMap<string, KnownTask>,
  conditions: readonly ConditionTask[],
  surroundings: Surroundings,
  reuse: boolean,
): Promise<MatrixTask[]> {
  const { graph, root, store } = surroundings;
  const toRun = reuse ? await missing(conditions, surroundings) : undefined;
  const planned = new Map(planConditions(graph, conditions).map((item) => [item.id, item]));
  const cores = availableParallelism();
  const chosen: ConditionTask[] = [];
  const works = [];
  for (const task of conditions) {
    const item = planned.get(conditionId(task));
    if (item === undefined) throw new Error(`Bug: ${task.id} was not planned`);
    const replicates = toRun?.get(item.id) ?? replicatesOf(item).length;
    if (replicates === 0) continue;
    chosen.push(task);
    const lanes = lanesOf(item, cores);
    const msPerReplicate = await timeOf(item, root, store);
    works.push({ experiment: task.experiment, replicates, lanes, msPerReplicate });
  }
  const estimates = estimateAll(works);
  const waitsFor = contract(all, new Set(chosen.map(({ id }) => id)));
  return chosen.map(({ id, project, target }, i) => ({
    id,
    project,
    target,
    waitsFor: waitsFor.get(id) ?? [],
    estimatedMs: estimates[i]?.estimatedMs ?? 0,
    isMeasured: estimates[i]?.isMeasured ?? false,
  }));
}

/** How many replicates of each condition the store lacks. */
async function missing(
  conditions: readonly ConditionTask[],
  { root, graph, store, interpreters }: Surroundings,
): Promise<ReadonlyMap<string, number>> {
  const shards = conditions.filter(({ shard }) => shard !== undefined);
  const whole = conditions.map(({ experiment, condition }) => ({ experiment, condition }));
  const plan = planConditions(graph, [...withUpstream(graph, whole), ...shards]);
  const previews = await previewPlan(plan, root, store, 1, interpreters);
  return new Map(previews.map(({ planned, toRun }) => [planned.id, toRun]));
}

/** Milliseconds of a replicate in the last run that the store knows of, or whose results lie here; else what config.yaml says. */
async function timeOf(
  planned: PlannedCondition,
  root: string,
  store: RunStore | undefined,
): Promise<number | undefined> {
  const { experiment, condition, results } = planned;
  for (const name of new Set([historyName(planned), condition])) {
    const known = (await store?.readHistory(experiment, name))?.msPerReplicate;
    if (isTime(known)) return known;
  }
  const folder = dirname(manifestPath(join(root, results), condition));
  const text = await readFile(join(folder, 'run.jsonl'), 'utf8').catch(() => '');
  const times = text.split('\n').map(timeOfLine).filter(isTime);
  if (times.length === 0) return planned.execution.estimateMs;
  return times.reduce((sum, ms) => sum + ms, 0) / times.length;
}

function timeOfLine(line: string): unknown {
  if (!line.startsWith('{"type":"replicate"')) return undefined;
  try {
    return JSON.parse(line).ms;
  } catch {
    return undefined; // the end of a run that was killed
  }
}

/** Files may hold anything. */
function isTime(ms: unknown): ms is number {
  return typeof ms === 'number' && Number.isFinite(ms) && ms >= 0;
}
