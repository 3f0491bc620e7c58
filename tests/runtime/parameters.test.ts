import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../plugin/base/json.ts';
import { defineDatasource, defineStep, required } from '../../plugin/runtime/context.ts';
import { ReplicateError } from '../../plugin/runtime/failures.ts';
import { type Parameters, resolveParameters } from '../../plugin/runtime/parameters.ts';

const train = defineStep(
  { rate: 0.1, optimizer: 'adam', shuffle: true, schedule: null as unknown, model: required<string>() },
  (data: number[]) => data,
);

function failureOf(args: JsonObject, context: JsonObject): unknown {
  try {
    resolveParameters('train', train, args, context);
  } catch (error) {
    if (error instanceof ReplicateError) return error.failure;
    throw error;
  }
  return undefined;
}

const resolve = (args: JsonObject, context: JsonObject): Parameters =>
  resolveParameters('train', train, args, context);

describe('the value of a parameter comes', () => {
  test("from the step's arguments first", () => {
    expect(resolve({ rate: 1, model: 'a' }, { rate: 2, model: 'b' }).declared).toMatchObject({
      rate: 1,
      model: 'a',
    });
  });
  test('else from the context', () => {
    expect(resolve({}, { rate: 2, model: 'b' }).declared).toMatchObject({ rate: 2, model: 'b' });
  });
  test('else from the default', () => {
    expect(resolve({}, { model: 'b' }).declared).toEqual({
      rate: 0.1,
      optimizer: 'adam',
      shuffle: true,
      schedule: null,
      model: 'b',
    });
  });
  test('from null, where null is what was written', () => {
    expect(resolve({ rate: null }, { model: 'b' }).declared).toMatchObject({ rate: null });
  });
});

test('the context may hold values that are for other steps', () => {
  expect(resolve({}, { model: 'b', other: 1 }).declared).not.toHaveProperty('other');
});

test('a function without declared parameters sees the context under the arguments', () => {
  const resolved = resolveParameters('plain', () => 1, { a: 1 }, { a: 2, b: 3 });
  expect(resolved).toEqual({ visible: { a: 1, b: 3 }, declared: undefined });
});

test('a datasource declares its parameters in the same way', () => {
  const load = defineDatasource({ path: 'a.csv' }, ({ path }) => path);
  expect(resolveParameters('load', load, {}, {}).declared).toEqual({ path: 'a.csv' });
});

test('nothing that a step sees can be changed for the next one', () => {
  const { visible, declared } = resolve({}, { model: 'b', list: [{ n: 1 }] });
  expect(() => Object.assign(visible, { rate: 3 })).toThrow(TypeError);
  expect(() => Object.assign(declared ?? {}, { rate: 3 })).toThrow(TypeError);
  expect(Object.isFrozen((visible.list as readonly object[])[0])).toBe(true);
});

describe('a failure names the parameter and the step:', () => {
  test('no value', () => {
    expect(failureOf({}, {})).toEqual({ reason: 'parameter-missing', parameter: 'model', step: 'train' });
  });
  test('an argument that is no parameter, with the nearest one', () => {
    expect(failureOf({ rates: 1 }, { model: 'b' })).toEqual({
      reason: 'parameter-unknown',
      parameter: 'rates',
      step: 'train',
      remedy: 'Did you mean "rate"?',
    });
  });
  test.each<[JsonObject, string, string]>([
    [{ rate: 'fast' }, 'a number', 'string'],
    [{ optimizer: 1 }, 'a string', 'number'],
    [{ shuffle: [true] }, 'a boolean', 'a list'],
    [{ rate: { n: 1 } }, 'a number', 'object'],
  ])('%j is of another type than the default', (args, expected, got) => {
    expect(failureOf(args, { model: 'b' })).toMatchObject({ reason: 'parameter-type', expected, got });
  });
  test('a name that every object has is not a value', () => {
    const step = defineStep({ toString: required<string>() }, (data: number) => data);
    expect(() => resolveParameters('odd', step, {}, {})).toThrow(ReplicateError);
  });
});
