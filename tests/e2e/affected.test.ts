import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/workspace.ts';

const PASS = `
import { defineStep, withMetrics } from 'nx-experiments';
export const pass = defineStep({ factor: 1 }, async (data: unknown, { factor }, ctx) => {
  await ctx.artifact('out').write(factor);
  return withMetrics(data, { factor });
});
export const nothing = () => null;
`;
const OUTPUTS = 'steps: [pass]\noutputs: { out: { file_name: out.json, writer: JSON_text } }\n';
const WRITER = 'export const JSON_text = (value: unknown): string => JSON.stringify(value);\n';

/** first -> second -> third, and one beside them; each imports something else from outside. */
const FILES = {
  'package.json': '{ "name": "fixture", "private": true, "type": "module", "workspaces": ["packages/*"] }\n',
  'tsconfig.base.json': '{ "compilerOptions": { "paths": { "@alias/*": ["./aliased/*"] } } }\n',
  'packages/stats/package.json': '{ "name": "@fixture/stats", "version": "1.0.0", "main": "src/index.js" }\n',
  'packages/stats/src/index.js': "export * from './inner.js';\n",
  'packages/stats/src/inner.js': 'export const stats = 1;\n',
  'libs/near.ts': 'export const near = 1;\n',
  'aliased/far.ts': 'export const far = 1;\n',
  'experiments/first/config.yaml': `datasource: { nothing: nothing }\n${OUTPUTS}treatments: { high: { factor: 2 } }\n`,
  'experiments/first/datasources.ts': "export { nothing } from './steps.ts';\n",
  'experiments/first/steps.ts': PASS,
  'experiments/first/outputs.ts': WRITER,
  'experiments/second/config.yaml': `datasource: { before: first#out }\n${OUTPUTS}`,
  'experiments/second/steps.ts': `import { near } from '../../libs/near.ts';\n${PASS}export { near };\n`,
  'experiments/second/outputs.ts': WRITER,
  'experiments/third/config.yaml': `datasource: { before: second#out }\n${OUTPUTS}treatments: { own: { factor: 3 } }\n`,
  'experiments/third/steps.ts': `import { far } from '@alias/far.ts';\n${PASS}export { far };\n`,
  'experiments/third/outputs.ts': WRITER,
  'experiments/beside/config.yaml': 'datasource: { nothing: nothing }\nsteps: [pass]\n',
  'experiments/beside/datasources.ts': 'export const nothing = () => null;\n',
  'experiments/beside/steps.ts':
    "import { stats } from '@fixture/stats';\nexport const pass = (data: unknown) => [data, stats];\n",
};

let ws: Workspace;

beforeAll(async () => {
  ws = await workspace(FILES);
  await ws.link('packages/stats', '@fixture/stats');
});

afterEach(() => ws.git('reset', '--quiet', '--hard'));

afterAll(() => ws[Symbol.asyncDispose]());

const AFFECTED: Record<string, { file: string; from: string; to: string; projects: string[] }> = {
  'a step at the beginning of the chain': {
    file: 'experiments/first/steps.ts',
    from: 'factor: 1',
    to: 'factor: 5',
    projects: ['first', 'second', 'third'],
  },
  'a treatment at the end of the chain': {
    file: 'experiments/third/config.yaml',
    from: 'factor: 3',
    to: 'factor: 4',
    projects: ['third'],
  },
  'shared code by a relative import': {
    file: 'libs/near.ts',
    from: '1',
    to: '2',
    projects: ['second', 'third'],
  },
  'shared code by a tsconfig path': { file: 'aliased/far.ts', from: '1', to: '2', projects: ['third'] },
  'a package of the workspace': {
    file: 'packages/stats/src/inner.js',
    from: '1',
    to: '2',
    projects: ['@fixture/stats', 'beside'],
  },
};

test.each(Object.keys(AFFECTED))('%s affects what it can reach', async (name) => {
  const { file, from, to, projects } = AFFECTED[name] as (typeof AFFECTED)[string];
  await ws.edit(file, from, to);
  const { code, stdout } = await ws.nx('show projects --affected --base=HEAD --json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout).sort()).toEqual(projects);
});

test('nx affected runs the experiments behind a change, and stops where an artifact stays the same', async () => {
  await ws.edit('libs/near.ts', '1', '2');
  const first = await ws.nx('affected -t experiment --base=HEAD');
  expect({ code: first.code, tasks: first.ran }, first.output).toEqual({
    code: 0,
    tasks: [
      ...['first:experiment--baseline', 'first:experiment--high'],
      ...['second:experiment', 'second:experiment--baseline', 'second:experiment--high'],
      ...[
        'third:experiment',
        'third:experiment--baseline',
        'third:experiment--high',
        'third:experiment--own',
      ],
    ],
  });
  await ws.edit('experiments/second/steps.ts', 'factor: 1', '/* a comment */ factor: 1');
  const upstream = await ws.nx('run second:experiment');
  expect(upstream).toMatchObject({
    code: 0,
    ran: ['second:experiment', 'second:experiment--baseline', 'second:experiment--high'],
  });
  const downstream = await ws.nx('affected -t experiment --base=HEAD');
  expect({ code: downstream.code, ran: downstream.ran }, downstream.output).toEqual({ code: 0, ran: [] });
});
