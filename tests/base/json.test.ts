import { expect, test } from 'vitest';
import { canonicalJson, deepFreeze } from '../../plugin/base/json.ts';

test('equal values give equal text, whatever the order of their keys', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe(
    '{"a":true,"b":[1,{"c":"x","d":null}]}',
  );
  expect(canonicalJson({ B: 1, a: 2, A: 3 })).toBe('{"A":3,"B":1,"a":2}');
});

test('freezing reaches all the way down', () => {
  const frozen = deepFreeze({ a: [{ b: 1 }] });
  expect(Object.isFrozen(frozen.a[0])).toBe(true);
});
