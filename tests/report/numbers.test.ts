import { expect, test } from 'vitest';
import { formatEffect, formatP, formatShort, formatWithin } from '../../plugin/report/numbers.ts';

test.each([
  [-5.3178, -5.299, -5.28, '-5.32 < -5.3 < -5.28'],
  // Three digits would put the value outside of its own interval, -18600 to -18600.
  [-18639.66, -18633.75, -18627.84, '-18640 < -18634 < -18628'],
  [100.0102, 100.0121, 100.014, '100.01 < 100.012 < 100.014'],
  [1_234_567_000, 1_234_568_000, 1_234_569_000, '1.234567e+9 < 1.234568e+9 < 1.234569e+9'],
  [-0.02, 0, 0.131, '-0.02 < 0 < 0.131'],
  [500, 500, 500, '500 < 500 < 500'],
  // Eight pairs that differ by one constant differ by their rounding.
  [99.4112549695428, 99.4112549695429, 99.4112549695429, '99.4 < 99.4 < 99.4'],
  [-70.2943725152286, -70.2943725152286, -70.2943725152285, '-70.3 < -70.3 < -70.3'],
  [Number.NEGATIVE_INFINITY, 1, Number.POSITIVE_INFINITY, '-∞ < 1 < ∞'],
  [Number.NaN, 1.23456, Number.NaN, '– < 1.23 < –'],
])('[%f, %f, %f] is shown with the digits that tell its ends apart', (low, value, high, shown) => {
  const format = formatWithin({ low, high });
  expect(`${format(low)} < ${format(value)} < ${format(high)}`).toBe(shown);
});

test.each([
  [18634.3, '18634'],
  [0.000012345, '1.23e-5'],
  [1234567, '1.23e+6'],
  [0, '0'],
  [Number.NaN, '–'],
])('%f in short is %s', (value, shown) => expect(formatShort(value)).toBe(shown));

test.each([
  [-0.5264, '-0.526'],
  [-178.3, '-178'],
  [-3.78e15, '-∞'],
  [Number.POSITIVE_INFINITY, '∞'],
  [Number.NaN, '–'],
])('the effect %f is shown as %s', (effect, shown) => expect(formatEffect(effect)).toBe(shown));

test.each([
  [0.0123456, '0.0123'],
  // Rounded to four decimals it would be 0.05, and stand beside "significant".
  [0.04998, '0.04998'],
  [0.0499999, '0.0499999'],
  [0.0500001, '0.0500001'],
  [0.05, '0.0500'],
  [1, '1.0000'],
  [0.00001, '< 0.0001'],
  [Number.NaN, '–'],
  [0.05 - 1e-12, '< 0.05'],
  [0.05 + 1e-12, '> 0.05'],
])('the p-value %f is shown as %s', (p, shown) => expect(formatP(p)).toBe(shown));

test.each([
  [0.00098, 0.001, '0.00098'],
  [0.02498, 0.025, '0.02498'],
  [0.02502, 0.025, '0.02502'],
  [0.012496, 0.0125, '0.012496'],
  [0.00005, 0.00001, '5.000e-5'],
  [0.000005, 0.00001, '5.000e-6'],
  [0, 0.00001, '< 0.0001'],
  [0.00005, 0.05, '< 0.0001'],
])('the p-value %f of a test at %f is shown as %s', (p, alpha, shown) =>
  expect(formatP(p, alpha)).toBe(shown),
);
