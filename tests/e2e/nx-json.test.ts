import { expect, test } from 'vitest';
import { workspace } from '../support/workspace.ts';

const PLUGIN = 'node_modules/nx-experiments/bin/nx-experiments.js';
const STEPS = `
import { withMetrics } from 'nx-experiments';
export const pass = async (data, ctx) => {
  await ctx.artifact('out').write('1');
  return withMetrics(data, { value: data === null ? 1 : data.before.length });
};
`;
const FILES = {
  'experiments/first/config.yaml':
    'datasource: { nothing: nothing }\nsteps: [pass]\noutputs: { out: { file_name: out.txt } }\n',
  'experiments/first/datasources.js': 'export const nothing = () => null;\n',
  'experiments/first/steps.js': STEPS,
  'experiments/second/config.yaml':
    'datasource: { before: first#out }\nsteps: [pass]\noutputs: { out: { file_name: out.txt } }\n',
  'experiments/second/steps.js': STEPS,
};

test('the commands leave out what Nx keeps from the plugin, and read an nx.json with comments', async () => {
  await using ws = await workspace({
    ...FILES,
    'experiments/archive/first/config.yaml': 'name: first\nno: [\n',
    'experiments/archive/first/package.json': '{ "name": "archived" }\n',
  });
  const entry = '{ "plugin": "nx-experiments", "exclude": ["experiments/archive/**"] },';
  await ws.write(
    'nx.json',
    `{ // ours\n  "plugins": [${entry}],\n  "analytics": false, "neverConnectToCloud": true,\n}\n`,
  );
  const shown = await ws.nx('show projects --json');
  expect(shown.code, shown.output).toBe(0);
  expect(JSON.parse(shown.stdout)).toEqual(expect.arrayContaining(['first', 'second']));
  const planned = await ws.shell(`node ${PLUGIN} plan`);
  expect(planned.output).toMatch(/^first\/baseline .*\nsecond\/baseline /);
  expect(planned.code).toBe(0);
  const ran = await ws.shell(`node ${PLUGIN} run second`);
  expect(ran.code, ran.output).toBe(0);
});
