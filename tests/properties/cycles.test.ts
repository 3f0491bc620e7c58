import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Edges, findCycles, topologicalOrder } from '../../plugin/graph/order.ts';

const edges: fc.Arbitrary<Edges> = fc.integer({ min: 1, max: 8 }).chain((size) => {
  const names = 'abcdefgh'.slice(0, size).split('');
  return fc
    .tuple(...names.map(() => fc.subarray(names, { maxLength: Math.min(3, size) })))
    .map((upstream) => new Map(names.map((name, i) => [name, upstream[i] ?? []])));
});

/** By repeated squaring in spirit: whoever reaches itself by some path is on a cycle. */
function namesOnCycles(graph: Edges): Set<string> {
  const reaches = new Map([...graph].map(([name, upstream]) => [name, new Set(upstream)]));
  for (let round = 0; round < graph.size; round++) {
    for (const reached of reaches.values()) {
      for (const name of [...reached]) for (const next of reaches.get(name) ?? []) reached.add(next);
    }
  }
  return new Set([...reaches].filter(([name, reached]) => reached.has(name)).map(([name]) => name));
}

const check = (property: (graph: Edges) => void): void =>
  fc.assert(fc.property(edges, property), { numRuns: 2000 });

test('a cycle is found if and only if there is one', () => {
  check((graph) => {
    expect(findCycles(graph).length > 0).toBe(namesOnCycles(graph).size > 0);
  });
});

test('what is reported is a cycle: each waits for the next, none stands there twice', () => {
  check((graph) => {
    for (const cycle of findCycles(graph)) {
      expect(new Set(cycle).size).toBe(cycle.length);
      for (const [i, name] of cycle.entries())
        expect(graph.get(name)).toContain(cycle[(i + 1) % cycle.length]);
    }
  });
});

test('the order has everything that neither is on a cycle nor waits for one', () => {
  check((graph) => {
    const cyclic = namesOnCycles(graph);
    const order = topologicalOrder(graph);
    const waits = (name: string, seen = new Set<string>()): boolean =>
      cyclic.has(name) || (graph.get(name) ?? []).some((up) => !seen.has(up) && waits(up, seen.add(up)));
    expect([...order].sort()).toEqual([...graph.keys()].filter((name) => !waits(name)).sort());
    for (const [i, name] of order.entries()) {
      for (const up of graph.get(name) ?? []) expect(order.indexOf(up)).toBeLessThan(i);
    }
  });
});
