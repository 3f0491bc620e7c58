import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ChangeWatch, LookingTime } from '../../../plugin/io/changes/change-watch.ts';

/** A watch over files that take a while to look at, and what it did. */
function watching({ lookMs, time = new LookingTime() }: { lookMs: number; time?: LookingTime }) {
  const seen = { looks: 0, kept: [] as number[], changes: 0, changed: [] as string[] };
  const look = (): string[] => {
    seen.looks++;
    for (const until = performance.now() + lookMs; performance.now() < until; );
    return seen.changed;
  };
  const watch = new ChangeWatch(look, time, () => seen.changes++);
  const finish = (replicate: number): void => watch.letThrough(() => seen.kept.push(replicate));
  return { watch, finish, seen };
}

test('what is handed over at once waits for one look', async () => {
  const { finish, seen } = watching({ lookMs: 0 });
  for (const replicate of [0, 1, 2]) finish(replicate);
  expect(seen.kept).toEqual([]);
  await sleep(1);
  expect(seen.kept).toEqual([0, 1, 2]);
  expect(seen.looks).toBe(1);
});

test('looks that take long are rare, also of several conditions together, and everything is let through in the end', async () => {
  const time = new LookingTime();
  const watches = [watching({ lookMs: 5, time }), watching({ lookMs: 5, time })];
  const begun = performance.now();
  for (let replicate = 0; replicate < 60; replicate++) {
    for (const { finish } of watches) finish(replicate);
    await sleep(5);
  }
  const elapsed = performance.now() - begun;
  const looks = watches.reduce((sum, { seen }) => sum + seen.looks, 0);
  expect(looks).toBeGreaterThan(2);
  // A look of 5 ms in 105, and one of each condition before anybody knows what one takes.
  expect(looks).toBeLessThanOrEqual(2 + elapsed / 100);
  for (const { watch, seen } of watches) {
    expect(watch.now()).toEqual([]);
    expect(seen.kept).toEqual(Array.from({ length: 60 }, (_, replicate) => replicate));
  }
});

test('after a change nothing is let through, also when nobody sees it any more', async () => {
  const { watch, finish, seen } = watching({ lookMs: 0 });
  finish(0);
  await sleep(1);
  seen.changed = ['steps.ts'];
  finish(1);
  await sleep(1);
  expect(seen.changes).toBe(1);
  seen.changed = [];
  finish(2);
  await sleep(1);
  expect(watch.now()).toEqual(['steps.ts']);
  expect(seen.kept).toEqual([0]);
});
