import { expect, test } from 'vitest';
import { workspace } from '../support/workspace.ts';

const FILES = {
  'libs/gain.mjs': 'export const gain = 1;\n',
  'experiments/maker/config.yaml':
    'datasource: { one: read }\nsteps: [make]\noutputs: { out: { file_name: out.json, writer: dump_json, loader: load_json } }\n',
  'experiments/maker/datasources.mjs':
    "import { gain } from '../../libs/gain.mjs';\nexport const read = () => gain;\n",
  'experiments/maker/steps.mjs':
    "export const make = async (data, ctx) => { await ctx.artifact('out').write(data); return data; };\n",
  'experiments/reader/config.yaml':
    'datasource: { before: maker#out }\nsteps: [look]\ntreatments: { high: {} }\n',
  'experiments/reader/steps.mjs':
    "export const look = (data, ctx) => { ctx.metrics.add('value', data.before ?? data); return data; };\n",
};

const nxJson = (targetDefaults: object) =>
  JSON.stringify({
    plugins: ['nx-experiments'],
    analytics: false,
    neverConnectToCloud: true,
    targetDefaults,
  });

test('a task whose dependencies are replaced fails, and takes no older result for new', async () => {
  await using ws = await workspace(FILES);
  expect((await ws.nx('run reader:experiment')).code).toBe(0);
  await ws.write('libs/gain.mjs', 'export const gain = 2;\n');
  const remedy =
    'and would take what was there before for new: a "dependsOn" of targetDefaults in nx.json, or of a project.json, stands in place of the inferred one. Let it begin with "...", as in "dependsOn": ["...", "^build"].';

  await ws.write('nx.json', nxJson({ experiment: { dependsOn: ['^build'] } }));
  const comparison = await ws.nx('run reader:experiment');
  expect(comparison.code).toBe(1);
  expect(comparison.output).toContain(
    `reader:experiment does not depend on experiment--baseline and 1 more, ${remedy}`,
  );
  expect(comparison.ran).toEqual(['reader:experiment']);

  await ws.write('nx.json', nxJson({ 'nx-experiments:run': { dependsOn: ['^build'] } }));
  const condition = await ws.nx('run reader:experiment--high');
  expect(condition.code).toBe(1);
  expect(condition.output).toContain(
    `reader:experiment--high does not depend on experiment--baseline, ${remedy}`,
  );

  await ws.write('nx.json', nxJson({ 'nx-experiments:run': { dependsOn: ['...', '^build'] } }));
  const mended = await ws.nx('run reader:experiment');
  expect(mended.code).toBe(0);
  expect(mended.ran).toContain('maker:experiment--baseline');
  expect(mended.output).toMatch(/value {3}baseline +2 /);
});
