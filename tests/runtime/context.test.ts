import { expect, test } from 'vitest';
import {
  declaredParameters,
  defineDatasource,
  defineStep,
  isRequired,
  isWithMetrics,
  required,
  type StepContext,
  withMetrics,
} from '../../plugin/runtime/context.ts';

// A user's own test calls a step without any of our machinery.
const context = {} as StepContext<{ delta: number }>;

test('a declared step is still the function that it was', async () => {
  const shift = defineStep({ delta: 0 }, (data: number[], { delta }) => data.map((x) => x + delta));
  expect(await shift([1, 2], { delta: 3 }, context)).toEqual([4, 5]);
});

test('declaring twice with other defaults does not change the first', () => {
  const run = (data: number): number => data;
  const first = defineStep({ a: 1 }, run);
  const second = defineStep({ b: 2 }, run);
  expect([declaredParameters(first), declaredParameters(second), declaredParameters(run)]).toEqual([
    { a: 1 },
    { b: 2 },
    undefined,
  ]);
});

test('a declared datasource is called with its parameters', async () => {
  const load = defineDatasource({ path: 'x' }, ({ path }) => path);
  expect(await load({ path: 'y' }, {} as StepContext<{ path: string }>)).toBe('y');
});

test('what is required is no value', () => {
  expect(isRequired(required())).toBe(true);
  expect([undefined, null, '', 0].some(isRequired)).toBe(false);
});

test('data with metrics is told from data that looks like it', () => {
  expect(isWithMetrics(withMetrics([1], { loss: 1 }))).toBe(true);
  expect(isWithMetrics({ data: [1], metrics: { loss: 1 } })).toBe(false);
  expect([null, undefined, 1, 'x'].some(isWithMetrics)).toBe(false);
});
