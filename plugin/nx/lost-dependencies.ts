import type { ProjectGraph, TargetConfiguration } from '@nx/devkit';
import { conditionsOf, resolveCondition } from '../graph/conditions.ts';
import type { Graph } from '../graph/graph.ts';
import { shardsOf } from '../runtime/shards.ts';
import { conditionTarget } from './targets.ts';

/** An inferred task: a condition, a shard of one, what puts shards together, or the comparison of an experiment. */
interface InferredTask {
  readonly id: string;
  readonly project: string;
  readonly target: string;
  readonly experiment: string;
  /** Undefined for the comparison. */
  readonly condition: string | undefined;
  /** How many shards it puts together. */
  readonly merges: number | undefined;
}

type DependsOn = NonNullable<TargetConfiguration['dependsOn']>;

/**
 * What is wrong with a task that does not wait for what it reads: it would take whatever lies there for new. A `dependsOn` of
 * nx.json or of a project.json replaces the inferred one.
 */
export function lostDependencies(
  task: InferredTask,
  graph: Graph,
  projectGraph: ProjectGraph,
  targetName: string,
): string | undefined {
  const found = projectGraph.nodes[task.project]?.data.targets?.[task.target]?.dependsOn ?? [];
  const lost = [...new Set(neededTargets(task, graph, targetName))].filter((target) => !names(found, target));
  const [first] = lost;
  if (first === undefined) return undefined;
  const more = lost.length > 1 ? ` and ${lost.length - 1} more` : '';
  return `${task.id} does not depend on ${first}${more}, and would take what was there before for new: a "dependsOn" of targetDefaults in nx.json, or of a project.json, stands in place of the inferred one. Let it begin with "...", as in "dependsOn": ["...", "^build"].`;
}

function neededTargets(
  { experiment, condition, merges }: InferredTask,
  graph: Graph,
  targetName: string,
): string[] {
  if (condition === undefined)
    return conditionsOf(graph, experiment).map((name) => conditionTarget(targetName, name));
  if (merges !== undefined)
    return shardsOf(merges).map((shard) => conditionTarget(targetName, condition, shard));
  return resolveCondition(graph, experiment, condition).sources.flatMap((source) =>
    source.type === 'artifact' ? [conditionTarget(targetName, source.condition)] : [],
  );
}

/** Whether a target is named, by a pattern perhaps. Of which projects is left to who has written it. */
function names(dependsOn: DependsOn, target: string): boolean {
  return dependsOn.some((entry) => {
    const name = (typeof entry === 'string' ? entry : entry.target).replace(/^\^/, '');
    return name === target || name.endsWith(`:${target}`) || name.includes('*');
  });
}
