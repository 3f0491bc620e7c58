import { expect, test } from 'vitest';
import { DiscoveredReads } from '../../plugin/runtime/discovered-reads.ts';

const reader = (experiment: string, ...paths: string[]) => ({
  experiment,
  code: Object.fromEntries(paths.map((path) => [path, 'digest'])),
});

test('what an experiment has read counts for those that share code with it, and for no others', async () => {
  const reads = new DiscoveredReads({
    digest: async (path) => `digest of ${path}`,
    hasChanged: () => false,
  });
  const first = reader('first', 'first/steps.py', 'libs/shared.ts', 'requirements.txt', 'tsconfig.json');
  reads.add(first, [{ path: 'data.csv', state: '1 1' }]);
  const expected = { 'data.csv': 'digest of data.csv' };
  expect(await reads.of(first)).toEqual(expected);
  expect(await reads.of(reader('second', 'second/steps.ts', 'libs/shared.ts'))).toEqual(expected);
  expect(await reads.of(reader('third', 'third/steps.py', 'requirements.txt', 'tsconfig.json'))).toBe(
    undefined,
  );
});
