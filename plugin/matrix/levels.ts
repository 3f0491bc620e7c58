import { topologicalOrder } from '../graph/order.ts';
import type { MatrixTask } from './tasks.ts';

/**
 * Tasks by how many must have finished one after the other before them. What lies deeper than there are levels falls into
 * the last one, where tasks may then wait for each other.
 */
export function levelsOf<T extends Pick<MatrixTask, 'id' | 'waitsFor'>>(
  tasks: readonly T[],
  deepest = Number.POSITIVE_INFINITY,
): T[][] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const depths = new Map<string, number>();
  const levels: T[][] = [];
  for (const id of topologicalOrder(new Map(tasks.map((task) => [task.id, task.waitsFor])))) {
    const task = byId.get(id);
    if (task === undefined) continue;
    const depth = 1 + Math.max(0, ...task.waitsFor.map((before) => depths.get(before) ?? 0));
    depths.set(id, depth);
    const level = levels[Math.min(depth, deepest) - 1];
    if (level === undefined) levels.push([task]);
    else level.push(task);
  }
  return levels;
}

/** Groups of tasks that wait for each other, directly or not: each has to stay on one machine. */
export function connectedTasks(tasks: readonly MatrixTask[]): MatrixTask[][] {
  const groups = new Map(tasks.map((task) => [task.id, [task]]));
  for (const { id, waitsFor } of tasks) {
    for (const before of waitsFor) {
      const [mine, theirs] = [groups.get(id), groups.get(before)];
      if (mine === undefined || theirs === undefined || mine === theirs) continue;
      const [large, small] = mine.length < theirs.length ? [theirs, mine] : [mine, theirs];
      large.push(...small);
      for (const task of small) groups.set(task.id, large);
    }
  }
  return [...new Set(groups.values())];
}
