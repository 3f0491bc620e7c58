import { describe, expect, test } from 'vitest';
import { findCycles, topologicalOrder } from '../../plugin/graph/order.ts';

const edges = (text: Record<string, string>): Map<string, string[]> =>
  new Map(Object.entries(text).map(([name, upstream]) => [name, upstream.split(' ').filter(Boolean)]));

describe('topological order', () => {
  test('puts upstream first, and sorts by code units what is ready together', () => {
    expect(topologicalOrder(edges({ c: 'a', b: 'a', B: 'a', a: '', z: '' }))).toEqual([
      'a',
      'z',
      'B',
      'b',
      'c',
    ]);
  });
  test('leaves out a cycle and what waits for it', () => {
    expect(topologicalOrder(edges({ a: 'b', b: 'a', c: 'a', d: '' }))).toEqual(['d']);
  });
  test('does not recurse', () => {
    const chain = new Map(Array.from({ length: 20_000 }, (_, i) => [`n${i}`, i === 0 ? [] : [`n${i - 1}`]]));
    expect(topologicalOrder(chain)).toHaveLength(20_000);
  });
});

describe('cycles', () => {
  test('are none in a diamond', () => {
    expect(findCycles(edges({ a: '', b: 'a', c: 'a', d: 'b c' }))).toEqual([]);
  });
  test('of one experiment are found', () => {
    expect(findCycles(edges({ a: 'a' }))).toEqual([['a']]);
  });
  test('are reported as the shortest through the smallest name', () => {
    expect(findCycles(edges({ a: 'b', b: 'c d', c: 'd', d: 'a' }))).toEqual([['a', 'b', 'd']]);
  });
  test('that have nothing in common are reported apart', () => {
    expect(findCycles(edges({ a: 'b', b: 'a', c: 'd', d: 'c', e: 'a c' }))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });
});
