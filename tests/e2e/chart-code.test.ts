import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
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

/** Writes the name of each package of which a module is imported, in every process of Node, and whether Vega is. */
const HOOK = `
import { register } from 'node:module';
const hooks = \`
  import { appendFileSync } from 'node:fs';
  export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    if (found.url.endsWith('/dist/vendor/charts.js')) appendFileSync(process.env.FIXTURE_LOADED, 'charts ');
    const [, name] = /\\\\/node_modules\\\\/((?:@[^/]+\\\\/)?[^/]+)\\\\//.exec(found.url) ?? [];
    if (name) appendFileSync(process.env.FIXTURE_LOADED, name + ' ');
    return found;
  }
\`;
register('data:text/javascript,' + encodeURIComponent(hooks));
`;

async function loadedBy(command: string): Promise<Set<string>> {
  const [hook, loaded] = [ws.outside('hook.mjs'), ws.outside('loaded')];
  await writeFile(hook, HOOK);
  await writeFile(loaded, '');
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(hook)}`, FIXTURE_LOADED: loaded };
  const { code, output } = await ws.nx(command, env);
  expect(code, output).toBe(0);
  return new Set((await readFile(loaded, 'utf8')).trim().split(' '));
}

test('charts are drawn once: what is cached, in Nx or in the store, loads none of their code', async () => {
  const first = await loadedBy('run lab:experiment');
  expect([...first]).toEqual(expect.arrayContaining(['nx', 'charts']));
  for (const command of ['run lab:experiment', 'run lab:experiment --skip-nx-cache']) {
    const again = await loadedBy(command);
    expect([...again]).toContain('nx');
    expect([...again].filter((name) => /^(charts|vega|d3-)/.test(name))).toEqual([]);
  }
});
