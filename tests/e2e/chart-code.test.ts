import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/workspace.ts';

let ws: Workspace;
beforeAll(async () => {
  ws = await workspace({
    'experiments/lab/config.yaml':
      'datasource: { n: number }\nsteps: [measure]\nreplicates: 3\ntreatments: { more: { plus: 1 } }\n',
    'experiments/lab/datasources.mjs': 'export const number = (ctx) => ctx.replicate;\n',
    'experiments/lab/steps.mjs':
      "export const measure = (n, ctx) => ctx.metrics.add('value', Math.sin(n) + (ctx.params.plus ?? 0));\n",
  });
});
afterAll(() => ws[Symbol.asyncDispose]());

/** Names of the packages of which any process loads code: V8 tells in its coverage. */
async function loadedBy(command: string): Promise<Set<string>> {
  const folder = ws.outside('coverage');
  await rm(folder, { recursive: true, force: true });
  const { code, output } = await ws.nx(command, { NODE_V8_COVERAGE: folder });
  expect(code, output).toBe(0);
  const texts = existsSync(folder)
    ? await Promise.all((await readdir(folder)).map((file) => readFile(`${folder}/${file}`, 'utf8')))
    : [];
  return new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/"url":"[^"]*\/node_modules\/((?:@[^/"]+\/)?[^/"]+)\//g)].map((m) => m[1] ?? ''),
    ),
  );
}

test('charts are drawn once: what is cached, in Nx or in the store, loads none of their code', async () => {
  const first = await loadedBy('run lab:experiment');
  expect([...first]).toEqual(expect.arrayContaining(['nx', 'vega', 'vega-lite']));
  for (const command of ['run lab:experiment', 'run lab:experiment --skip-nx-cache']) {
    const again = await loadedBy(command);
    expect([...again]).toContain('nx');
    expect([...again].filter((name) => /^(vega|d3-)/.test(name))).toEqual([]);
  }
});
