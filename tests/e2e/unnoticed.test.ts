import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/workspace.ts';

/** An experiment that measures one number. */
const experiment = (folder: string, value: string, config = ''): Record<string, string> => ({
  [`experiments/${folder}/config.yaml`]: `datasource: { one: one }\nsteps: [measure]\n${config}`,
  [`experiments/${folder}/datasources.ts`]: 'export const one = () => 1;\n',
  [`experiments/${folder}/steps.ts`]: `import * as fs from 'node:fs';
const read = (path: string) => Number(fs.readFileSync(path, 'utf8'));
export const measure = async (data: number, ctx: any) => ctx.metrics.add('seen', ${value});
`,
});

const FILES = {
  '.gitignore': 'node_modules\n.nx\nresults\ngenerated\nprivate\n',
  '.nxignore': '!experiments/reader/private/shown.txt\n',
  ...experiment('outer', "(await import('./inner/code.ts')).value"),
  ...experiment('outer/inner', '1'),
  ...experiment('variable', 'Number(process.env.FIXTURE_RATE ?? 0)', 'inputs: [{ env: FIXTURE_RATE }]\n'),
  'experiments/variable/.env': '# rates\nFIXTURE_RATE=5\n',
  ...experiment('linked', '0'),
  'libs/linked/steps.ts':
    "import { value } from '../../libs/linked/value.ts';\nexport const measure = (_: number, ctx: any) => ctx.metrics.add('seen', value);\n",
  'libs/linked/value.ts': 'export const value = 1;\n',
  'experiments/linked-python/config.yaml': 'datasource: { one: one }\nsteps: [measure]\n',
  'experiments/linked-python/datasources.py':
    'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
  'experiments/linked-python/steps.py': `from crystallize import pipeline_step
from shared.value import value
@pipeline_step()
def measure(data, ctx): return data, {'seen': value}
`,
  'libs/python/value.py': 'value = 1\n',
  'experiments/outer/inner/code.ts': 'export const value = 1;\n',
  ...experiment(
    'reader',
    [
      "(await import('../../libs/generated/code.ts')).value",
      "read('private/hidden.txt')",
      "read('private/shown.txt')",
      "read('plain.txt')",
      "read('nested/data.txt')",
      "read('linked.txt')",
      "read('declared.txt')",
      "fs.readdirSync('../../datasets/all').length",
      "fs.readdirSync('../../datasets').length",
    ].join(' + '),
    'inputs: [declared.txt, "{workspaceRoot}/datasets/all"]\n',
  ),
  ...experiment('reader/nested', '1'),
  'experiments/reader/private/hidden.txt': '1',
  'experiments/reader/private/shown.txt': '1',
  'experiments/reader/plain.txt': '1',
  'experiments/reader/nested/data.txt': '1',
  'libs/generated/code.ts': 'export const value = 1;\n',
  'datasets/linked.txt': '1',
  'datasets/all/a.txt': '1',
};

let ws: Workspace;

beforeAll(async () => {
  ws = await workspace(FILES);
  for (const name of ['linked.txt', 'declared.txt'])
    symlinkSync('../../datasets/linked.txt', join(ws.root, 'experiments/reader', name));
  rmSync(join(ws.root, 'experiments/linked/steps.ts'));
  symlinkSync('../../libs/linked/steps.ts', join(ws.root, 'experiments/linked/steps.ts'));
  symlinkSync('../../libs/python', join(ws.root, 'experiments/linked-python/shared'));
});

afterAll(() => ws[Symbol.asyncDispose]());

test('code of a folder in the experiment that is a project of its own is noticed', async () => {
  const seen = async (): Promise<unknown> =>
    JSON.parse(await ws.read('experiments/outer/results/baseline/metrics.json')).replicates[0].metrics.seen;
  await ws.nx('run outer:experiment');
  expect(await seen()).toEqual([1]);
  await ws.write('experiments/outer/inner/code.ts', 'export const value = 2;\n');
  expect((await ws.nx('show projects --affected --base=HEAD')).stdout).toContain('outer');
  expect((await ws.nx('run outer:experiment')).ran).toContain('outer:experiment--baseline');
  expect(await seen()).toEqual([2]);
});

test('of what Nx does not see in the folder either, and of what links lead to, a run tells', async () => {
  const { stdout } = await ws.nx('run reader:experiment');
  const told = stdout.split('\n').filter((line) => line.includes('Nx does not notice'));
  const undeclared = (path: string): string =>
    `reader/baseline: reads experiments/reader/${path}, which is not declared under "inputs": Nx does not notice a change of it`;
  expect(told.sort()).toEqual([
    'reader/baseline: imports libs/generated/code.ts, which an ignore file hides: Nx does not notice a change of it',
    undeclared('linked.txt'),
    undeclared('nested/data.txt'),
    undeclared('private/hidden.txt'),
    'reader/baseline: the input experiments/reader/declared.txt is a link to datasets/linked.txt: Nx does not notice a change there',
  ]);
});

test('code behind a link is noticed', async () => {
  const seen = async (folder: string): Promise<unknown> =>
    JSON.parse(await ws.read(`experiments/${folder}/results/baseline/metrics.json`)).replicates[0].metrics
      .seen;
  const runs = async (): Promise<unknown> => {
    await ws.nx('run-many -t experiment -p linked,linked-python');
    return Promise.all(['linked', 'linked-python'].map(seen));
  };
  expect(await runs()).toEqual([[1], [1]]);
  await ws.edit('libs/linked/value.ts', '1', '2');
  await ws.edit('libs/python/value.py', '1', '2');
  expect(await runs()).toEqual([[2], [2]]);
  await ws.edit('libs/linked/steps.ts', ', value)', ', value + 1)');
  expect(await runs()).toEqual([[3], [2]]);
});

test('a declared variable that Nx sets for some ways of running only is told', async () => {
  const { stdout } = await ws.nx('run variable:experiment');
  expect(stdout).toContain(
    'variable/baseline: Nx reads experiments/variable/.env for some ways of running and not for others: set FIXTURE_RATE in the .env of the workspace root',
  );
});
