import { expect, test } from 'vitest';
import { isLegalName, nearest, suggestion } from '../../plugin/base/names.ts';

test.each(['a', '9', 'high_lr', 'v1.2-rc', 'A'.repeat(100)])('%s is a legal name', (name) => {
  expect(isLegalName(name)).toBe(true);
});

test.each(['', '.', '..', '-x', '_x', 'a b', 'a/b', 'a#b', 'ä', 'a\n', 'A'.repeat(101)])(
  '%j is no legal name',
  (name) => {
    expect(isLegalName(name)).toBe(false);
  },
);

test('the nearest name is one or two slips away', () => {
  expect(nearest('treatment', ['treatments', 'steps'])).toBe('treatments');
  expect(nearest('Producer', ['consumer', 'producer'])).toBe('producer');
  expect(nearest('seeed', ['seed', 'steps'])).toBe('seed');
});

test('a name is not near when next to nothing of it is left', () => {
  expect(nearest('x', ['a', 'b'])).toBeUndefined();
  expect(nearest('ab', ['cd'])).toBeUndefined();
  expect(nearest('weather', ['producer'])).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});

test('without a near name, the known ones are listed, ten at most', () => {
  expect(suggestion('weather', ['a', 'b'], 'experiments')).toBe('Known experiments: a, b.');
  expect(suggestion('weather', [], 'experiments')).toBe('There are no experiments.');
  const many = Array.from({ length: 11 }, (_, i) => `experiment-${i}`);
  expect(suggestion('weather', many, 'experiments')).toMatch(/experiment-9, …\.$/);
});
