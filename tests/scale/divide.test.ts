import { expect, test } from 'vitest';
import { divide } from '../../plugin/build/scale/divide.js';

const MINUTE = 60_000;

/** Of 100 replicates, of five minutes each, the first `finished` are there. */
function preview(
  finished: number,
  { replicates = 100, ms = 5 * MINUTE, expected = true, execution = {} } = {},
) {
  const missing = Array.from({ length: replicates - finished }, (_, i) => finished + i);
  const expectedMs = expected ? missing.length * ms : undefined;
  const planned = { replicates, execution: { concurrency: 1, ...execution } };
  return { planned, missing, expectedMs } as never;
}

const elementsOf = (given: never, asked?: number, cpus = 1): readonly number[] =>
  divide(given, asked, cpus).elements;

test('ten replicates more are ten elements of five minutes, not one of fifty', () => {
  expect(elementsOf(preview(90))).toEqual([91, 92, 93, 94, 95, 96, 97, 98, 99, 100]);
  expect(elementsOf(preview(0))).toHaveLength(100);
});

test('there are no more than a hundred, and none for what takes no longer than one', () => {
  expect(elementsOf(preview(0, { replicates: 400 }))).toHaveLength(100);
  expect(elementsOf(preview(200, { replicates: 400 })).length).toBeGreaterThan(90);
  expect(elementsOf(preview(200, { replicates: 400 })).length).toBeLessThanOrEqual(100);
  expect(elementsOf(preview(98, { ms: 2 * MINUTE }))).toEqual([]);
});

test('without a run before, an estimate counts, by what an element runs at a time', () => {
  const given = preview(0, { expected: false, execution: { estimateMs: MINUTE } });
  expect(elementsOf(given)).toHaveLength(20);
  expect(elementsOf(given, undefined, 4)).toHaveLength(5);
  expect(elementsOf(preview(0, { expected: false }))).toHaveLength(8);
});

test('what was asked for, or is configured, goes before', () => {
  expect(elementsOf(preview(90), 4)).toEqual([]);
  expect(elementsOf(preview(0, { execution: { shards: 3 } }))).toEqual([1, 2, 3]);
});
