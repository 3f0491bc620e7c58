import { expect, test } from 'vitest';
import { parseRunOptions } from '../../plugin/nx/run-options.ts';

const SEED = 'must be a whole number from 0 to 4294967295.';

test.each<[Record<string, unknown>, string]>([
  [{ replicate: 2 }, 'Unknown option "--replicate". Did you mean "--replicates"?'],
  [{ replicates: true }, '"--replicates=true" must be a whole number from 1 to 10000000.'],
  [{ replicates: [2, 3] }, '"--replicates=2,3" must be a whole number from 1 to 10000000.'],
  [{ seed: '' }, `"--seed=" ${SEED}`],
  [{ seed: ' ' }, `"--seed= " ${SEED}`],
  [{ seed: 'x' }, `"--seed=x" ${SEED}`],
  [{ seed: '-1' }, `"--seed=-1" ${SEED}`],
  [{ seed: true }, `"--seed=true" ${SEED}`],
  [{ condition: true }, '"--condition=true" must be text.'],
  [{ strategy: true }, '"--strategy=true" must be resume or rerun.'],
  [
    { _: ['high_lr'] },
    'Unexpected argument "high_lr": every condition is a target of its own, and options begin with "--".',
  ],
])('%j is refused', (raw, problem) => {
  expect(parseRunOptions(raw)).toEqual({ problem });
});

test('a seed is a number, as text or not', () => {
  expect(parseRunOptions({ _: [], seed: '7', replicates: 2 })).toEqual({ _: [], seed: 7, replicates: 2 });
  expect(parseRunOptions({ seed: 0 })).toEqual({ seed: 0 });
});
