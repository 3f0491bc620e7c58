import { compareText } from '../base/diagnostics.ts';

/** Names and what each of them waits for. */
export type Edges = ReadonlyMap<string, readonly string[]>;

/**
 * Sorts so that every name comes after all that it waits for; ties in code unit order.
 * Names on a cycle, and those behind one, are left out.
 */
export function topologicalOrder(edges: Edges): string[] {
  const waiting = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  for (const [name, upstream] of edges) {
    waiting.set(name, upstream.length);
    for (const up of upstream) dependents.set(up, [...(dependents.get(up) ?? []), name]);
  }
  const order: string[] = [];
  let ready = [...edges.keys()].filter((name) => waiting.get(name) === 0);
  while (ready.length > 0) {
    ready.sort(compareText);
    order.push(...ready);
    const next: string[] = [];
    for (const name of ready) {
      for (const dependent of dependents.get(name) ?? []) {
        const left = (waiting.get(dependent) ?? 0) - 1;
        waiting.set(dependent, left);
        if (left === 0) next.push(dependent);
      }
    }
    ready = next;
  }
  return order;
}

/**
 * One shortest cycle through each name that first closes one: `[a, b]` means a waits for b and b for a.
 * Every cyclic component is reported once, starting at its smallest name.
 */
export function findCycles(edges: Edges): string[][] {
  const sorted = new Set(topologicalOrder(edges));
  const suspects = [...edges.keys()].filter((name) => !sorted.has(name)).sort(compareText);
  const reported = new Set<string>();
  const cycles: string[][] = [];
  for (const start of suspects) {
    if (reported.has(start)) continue;
    const cycle = shortestCycle(edges, start);
    if (cycle === undefined || cycle.some((name) => reported.has(name))) continue;
    cycles.push(cycle);
    for (const name of cycle) reported.add(name);
  }
  return cycles;
}

function shortestCycle(edges: Edges, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  let frontier = [start];
  while (frontier.length > 0) {
    const next: string[] = [];
    for (const name of frontier) {
      for (const up of edges.get(name) ?? []) {
        if (up === start) return pathTo(name, cameFrom);
        if (cameFrom.has(up)) continue;
        cameFrom.set(up, name);
        next.push(up);
      }
    }
    frontier = next;
  }
  return undefined;
}

function pathTo(end: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path = [end];
  for (let at = cameFrom.get(end); at !== undefined; at = cameFrom.get(at)) path.unshift(at);
  return path;
}
