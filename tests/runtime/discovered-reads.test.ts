import { expect, test } from 'vitest';
import { DiscoveredReads } from '../../plugin/runtime/discovered-reads.ts';

const reader = (experiment: string, ...paths: string[]) => ({
  experiment,
  code: Object.fromEntries(paths.map((path) => [path, 'digest'])),
});

const FIRST = reader('first', 'first/steps.py', 'libs/shared.ts', 'requirements.txt', 'tsconfig.json');
const SECOND = reader('second', 'second/steps.ts', 'libs/shared.ts');
const THIRD = reader('third', 'third/steps.py', 'requirements.txt', 'tsconfig.json');

/** Files whose states can be changed. */
function files(states: Record<string, string> = {}) {
  return {
    digestOf: async (path: string) => `digest of ${path}`,
    stateOf: (path: string) => states[path] ?? 'old',
  };
}

test('what an experiment has read counts for those that share code with it, and for no others', async () => {
  const reads = new DiscoveredReads(files());
  reads.add(FIRST, [{ path: 'data.csv', state: 'old' }]);
  const expected = { digests: { 'data.csv': 'digest of data.csv' }, trouble: undefined };
  expect(await reads.of(FIRST)).toEqual(expected);
  expect(await reads.of(SECOND)).toEqual(expected);
  expect(await reads.of(THIRD)).toBe(undefined);
});

test('what was written to since any of them has read it is nothing to keep a result with', async () => {
  const states: Record<string, string> = {};
  const reads = new DiscoveredReads(files(states));
  reads.add(FIRST, [{ path: 'data.csv', state: 'old' }]);
  states['data.csv'] = 'new';
  reads.add(SECOND, [{ path: 'data.csv', state: 'new' }]);
  expect(await reads.of(FIRST)).toMatchObject({
    digests: undefined,
    trouble: { about: 'written meanwhile' },
  });
  expect(await reads.of(SECOND)).toMatchObject({
    digests: undefined,
    trouble: { about: 'written meanwhile' },
  });
});

test('too many are not kept', async () => {
  const reads = new DiscoveredReads(files());
  const many = Array.from({ length: 201 }, (_, i) => ({ path: `${i}.csv`, state: 'old' }));
  reads.add(FIRST, many);
  expect(await reads.of(FIRST)).toMatchObject({ digests: undefined, trouble: { about: 'too many' } });
});
