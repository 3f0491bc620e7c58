import { expect, test } from 'vitest';
import { workspace } from '../support/workspace.ts';

test('an option without its value, given twice or empty is told, and so is a word that is none', async () => {
  await using ws = await workspace({
    'experiments/first/config.yaml':
      'datasource: { nothing: nothing }\nsteps: [pass]\nseed: 5\ntreatments: { high: {} }\n',
    'experiments/first/datasources.js': 'export const nothing = () => null;\n',
    'experiments/first/steps.js': 'export const pass = (data) => data;\n',
  });
  const replicates = 'must be a whole number from 1 to 10000000.';
  const seed = 'must be a whole number from 0 to 4294967295.';
  for (const [args, problem] of [
    ['--replicates', `"--replicates=true" ${replicates}`],
    ['--replicates=2 --replicates=3', `"--replicates=2,3" ${replicates}`],
    ['--strategy', '"--strategy=true" must be resume or rerun.'],
    ['--seed=', `"--seed=" ${seed}`],
    [
      'high',
      'Unexpected argument "high": every condition is a target of its own, and options begin with "--".',
    ],
  ] as const) {
    const { code, output } = await ws.nx(`run first:experiment ${args}`);
    expect(code, output).toBe(1);
    expect(output.split(problem), output).toHaveLength(2);
  }
  const right = await ws.nx('run first:experiment --seed=7');
  expect(right.code, right.output).toBe(0);
  expect(await ws.read('experiments/first/results/high/metrics.json')).toContain('"seed":7,');
});
