import { expect, test } from 'vitest';
import { Batches } from '../../plugin/io/batches.ts';

/** Lets so many wait for their turn. @returns which of them have begun, in that order */
function wait(batches: Batches, count: number): { begun: number[]; all: Promise<unknown> } {
  const begun: number[] = [];
  const turns = Array.from({ length: count }, (_, i) => batches.take().then(() => begun.push(i)));
  return { begun, all: Promise.all(turns) };
}

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a full batch begins once what is more urgent has been handled, the rest with the next', async () => {
  const batches = new Batches();
  const { begun, all } = wait(batches, 11);
  await Promise.resolve();
  expect(begun).toEqual([]);
  await immediate();
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const more = wait(batches, 5);
  await immediate();
  expect(begun).toHaveLength(11);
  expect(more.begun).toEqual([0, 1, 2, 3, 4]);
  await all;
});

test('a few begin without more to come', async () => {
  const { begun, all } = wait(new Batches(), 3);
  await all;
  expect(begun).toEqual([0, 1, 2]);
});

test('those that were left over when a batch began do not wait for ever', async () => {
  const { begun, all } = wait(new Batches(), 9);
  await all;
  expect(begun).toHaveLength(9);
});

test('in a hurry nothing waits', async () => {
  const batches = new Batches();
  const { begun } = wait(batches, 3);
  batches.hurry();
  await immediate();
  expect(begun).toEqual([0, 1, 2]);
  const { begun: later } = wait(batches, 1);
  await immediate();
  expect(later).toEqual([0]);
});
