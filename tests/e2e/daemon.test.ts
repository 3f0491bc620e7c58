import { expect, test } from 'vitest';
import { block, workspace } from '../support/workspace.ts';

test('a long-lived Nx daemon sees every edit', async () => {
  await using ws = await workspace(
    {
      'experiments/a/config.yaml': 'datasource: { n: numbers }\nsteps: [sum]\nparams: { factor: 1 }\n',
      'experiments/a/datasources.mjs': 'export const numbers = () => [1, 2];\n',
      'experiments/a/steps.mjs': `
import { defineStep, withMetrics } from 'nx-experiments';
export const sum = defineStep({ factor: 0 }, (n, { factor }) => withMetrics(n, { sum: factor * (n[0] + n[1]) }));
`,
    },
    { env: { NX_DAEMON: 'true', NX_ISOLATE_PLUGINS: 'true' } },
  );
  const tasks = ['a:experiment', 'a:experiment--baseline'];
  const first = await ws.nx('run a:experiment');
  expect({ code: first.code, ran: first.ran }, first.output).toEqual({ code: 0, ran: tasks });
  expect(await ws.nx('run a:experiment')).toMatchObject({ code: 0, ran: [], cached: tasks });

  await ws.edit(
    'experiments/a/config.yaml',
    'factor: 1 }',
    'factor: 5 }\ntreatments: { more: { factor: 7 } }',
  );
  const second = await ws.nx('run a:experiment');
  expect(second.ran, second.output).toEqual([...tasks, 'a:experiment--more']);
  expect(block(second.stdout, 'a:experiment')).toBe(`a: 2 conditions

  metric  condition  mean ± sd  n  vs baseline
  ------  ---------  ---------  -  -----------
  sum     baseline          15  1
          more              21  1           +6`);

  // The comparison is looked up by the metrics that its conditions have just brought back, not by those of the run before.
  await ws.edit('experiments/a/steps.mjs', 'n[0] + n[1]', 'n[0] - n[1]');
  const third = await ws.nx('run a:experiment');
  expect({ code: third.code, ran: third.ran }, third.output).toEqual({ code: 0, ran: second.ran });
  await ws.edit('experiments/a/steps.mjs', 'n[0] - n[1]', 'n[0] + n[1]');
  const again = await ws.nx('run a:experiment');
  expect({ code: again.code, ran: again.ran }, again.output).toEqual({ code: 0, ran: [] });
  expect(await ws.read('experiments/a/results/report/summary.json')).toContain('"mean":15');

  await ws.edit('experiments/a/config.yaml', 'steps: [sum]', 'step: [sum]');
  const broken = await ws.nx('show projects');
  expect(broken.code).toBe(1);
  expect(broken.output).toContain('experiments/a/config.yaml:2:1 - error config/unknown-key');
  await ws.edit('experiments/a/config.yaml', 'step: [sum]', 'steps: [sum]');
  expect(await ws.nx('run a:experiment')).toMatchObject({ code: 0, ran: [] });

  const stopped = await ws.nx('daemon --stop');
  expect(stopped.code).toBe(0);
});
