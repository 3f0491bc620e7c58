import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ExperimentGraph } from '../../plugin/build/index.js';
import { Lab } from '../support/engine.ts';

const FILES = {
  'lab/config.yaml': 'datasource: { data: source }\nsteps: [step]\nreplicates: 2\n',
  'lab/datasources.mjs': 'export const source = (ctx) => ctx.replicate;\n',
  'lab/steps.mjs': 'export const step = (data) => data;\n',
};

test('what was parsed is kept beside the store of the run, and an edited config is parsed anew', async () => {
  using lab = new Lab(FILES);
  await ExperimentGraph.fromYaml(lab.root).run();
  expect(existsSync(join(lab.root, '.nx/experiments/parsed.json'))).toBe(true);
  expect(existsSync(join(lab.root, '.nx/experiments/.gitignore'))).toBe(true);
  lab.write({ 'lab/config.yaml': FILES['lab/config.yaml'].replace('2', '3') });
  const { lab: result } = await ExperimentGraph.fromYaml(lab.root).run();
  expect(result?.provenance.replicates).toBe(3);
});

test.each([
  ['no store', () => false as const],
  ['a store elsewhere', (root: string) => join(root, 'elsewhere')],
])('a run with %s leaves nothing in the usual place', async (_, storeOf) => {
  using lab = new Lab(FILES);
  await ExperimentGraph.fromYaml(lab.root).run({ store: storeOf(lab.root) });
  expect(existsSync(join(lab.root, '.nx'))).toBe(false);
});
