import { expect, test } from 'vitest';
import { describe, meanOf } from '../../plugin/statistics/describe.ts';

test('mean and sample standard deviation', () => {
  expect(describe([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ n: 8, missing: 0, mean: 5, sd: Math.sqrt(32 / 7) });
});

test('not-a-number counts as missing', () => {
  expect(describe([1, Number.NaN, 3])).toEqual({ n: 2, missing: 1, mean: 2, sd: Math.SQRT2 });
});

test('one value has no spread, and nothing has no mean', () => {
  expect(describe([3])).toEqual({ n: 1, missing: 0, mean: 3, sd: Number.NaN });
  expect(describe([])).toEqual({ n: 0, missing: 0, mean: Number.NaN, sd: Number.NaN });
});

test('a large mean does not eat the digits', () => {
  expect(describe([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]).sd).toBeCloseTo(Math.sqrt(30), 12);
  expect(meanOf([0.1, 0.1, 0.1])).toBe(0.1);
});

test('an infinity stays one', () => {
  expect(meanOf([1, Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
});
