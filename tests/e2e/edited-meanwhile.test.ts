import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { workspace } from '../support/workspace.ts';

const STEP = `
import { withMetrics } from 'nx-experiments';
export const pass = async (data, ctx) => {
  await ctx.artifact('out').write('1');
  return withMetrics(data, { value: 1 });
};
`;
const OUTPUTS = 'outputs: { out: { file_name: out.txt } }\n';

const GATE = `
import { existsSync } from 'node:fs';
export const go = async () => {
  while (!existsSync(process.env.GO)) await new Promise((again) => setTimeout(again, 20));
};
`;

test('code that is edited while its condition waits for another one fails it: Nx would keep its results as those of the code before', async () => {
  await using ws = await workspace({
    'experiments/first/config.yaml': `datasource: { go: go }\nsteps: [pass]\n${OUTPUTS}`,
    'experiments/first/datasources.js': GATE,
    'experiments/first/steps.js': STEP,
    'experiments/second/config.yaml': `datasource: { before: first#out }\nsteps: [pass]\n${OUTPUTS}`,
    'experiments/second/steps.js': STEP,
  });
  const GO = ws.outside('go');
  const running = await ws.start('run second:experiment', { GO });
  await running.printed('first/baseline: 1 replicate');
  await ws.edit('experiments/second/steps.js', 'value: 1', 'value: 2');
  await writeFile(GO, '');
  const { code, output } = await running.finished;
  expect(output).toContain('experiments/second/steps.js changed while it ran');
  expect(code).toBe(1);
  await ws.git('checkout', '--quiet', '.');
  const before = await ws.nx('run second:experiment', { GO });
  expect(before.code, before.output).toBe(0);
  expect(await ws.read('experiments/second/results/baseline/metrics.json')).toContain('"value":[1]');
  await ws.edit('experiments/second/steps.js', 'value: 1', 'value: 2');
  const after = await ws.nx('run second:experiment', { GO });
  expect(after.code, after.output).toBe(0);
  expect(await ws.read('experiments/second/results/baseline/metrics.json')).toContain('"value":[2]');
});

test('verifiers that are edited while the conditions run fail the comparison', async () => {
  await using ws = await workspace({
    'experiments/first/config.yaml': `datasource: { go: go }\nsteps: [pass]\n${OUTPUTS}treatments: { high: {} }
hypotheses: [{ name: same, verifier: judge, metrics: value }]
`,
    'experiments/first/datasources.js': GATE,
    'experiments/first/steps.js': STEP,
    'experiments/first/verifiers.js':
      "import { p } from './level.js';\nexport const judge = () => ({ p_value: p });\n",
    'experiments/first/level.js': 'export const p = 0.25;\n',
  });
  const GO = ws.outside('go');
  const running = await ws.start('run first:experiment', { GO });
  await running.printed('first/baseline: 1 replicate');
  await ws.edit('experiments/first/level.js', '0.25', '0.75');
  await writeFile(GO, '');
  const { code, output } = await running.finished;
  const told =
    'first: experiments/first/level.js changed while it ran: what it says could be of either version. Run it again.';
  expect(output).toContain(told);
  expect(code).toBe(1);
  await ws.git('checkout', '--quiet', '.');
  const before = await ws.nx('run first:experiment', { GO });
  expect(before.code, before.output).toBe(0);
  expect(await ws.read('experiments/first/results/report/summary.json')).toContain('0.25');
});
