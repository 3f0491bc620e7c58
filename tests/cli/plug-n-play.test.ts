import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { inferProjects } from '../../plugin/nx/create-nodes.ts';
import { config, Lab } from '../support/engine.ts';

const BIN = join(import.meta.dirname, '../../plugin/bin/nx-experiments.js');
const REMEDY =
  'nx-experiments needs packages in node_modules, and Yarn\'s Plug\'n\'Play has none: set "nodeLinker: node-modules" in .yarnrc.yml, and run "yarn install".';
const versions: Record<string, string | undefined> = process.versions;

afterEach(() => {
  delete versions.pnp;
});

test("commands name the remedy under Plug'n'Play", () => {
  using lab = new Lab({ 'experiments/a/config.yaml': config({}) });
  // What `.pnp.cjs` does first; Yarn puts it before every program.
  writeFileSync(join(lab.root, '.pnp.cjs'), "process.versions.pnp = '3';\n");
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--require', './.pnp.cjs', BIN, ...args], {
      cwd: lab.root,
      encoding: 'utf8',
    });
  for (const command of ['plan', 'run', 'show'])
    expect(run(command)).toMatchObject({ status: 2, stdout: '', stderr: `${REMEDY}\n` });
  expect(run('plan', '--help').status).toBe(0);
});

test("inference names the remedy under Plug'n'Play, where there are experiments", async () => {
  versions.pnp = '3';
  const context = { workspaceRoot: '/nowhere', nxJsonConfiguration: {} };
  expect(await inferProjects(['libs/a/config.yaml'], {}, context)).toEqual([]);
  await expect(inferProjects(['experiments/a/config.yaml'], {}, context)).rejects.toThrow(REMEDY);
});
