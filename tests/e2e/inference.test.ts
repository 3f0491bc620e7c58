import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/workspace.ts';

const STEPS = `
import { defineStep, withMetrics } from 'nx-experiments';
export const pass = defineStep({ factor: 1 }, async (data, { factor }, ctx) => {
  if (ctx.experiment !== 'judge') await ctx.artifact('out').write(factor);
  return withMetrics(data, { factor });
});
`;
const OUTPUT = 'outputs: { out: { file_name: "[a] {b}*.json", writer: text } }\n';

const FILES = {
  'libs/tools/project.json': '{ "name": "tools", "targets": { "lint": { "command": "echo linted" } } }\n',
  'libs/tools/config.yaml': 'port: 80\n',
  'libs/tools/index.mjs': 'export const text = JSON.stringify;\n',
  'services/api/config.yaml': 'port: 80\n',
  'config.yaml': 'this: is: no: {{ yaml\n',
  'experiments/prep/config.yml': `
name: preparation
description: Prepares.
datasource: { nothing: nothing }
steps: [pass]
${OUTPUT}
treatments: { high: { factor: 2 } }
cli: { group: Data, icon: "🧹" }
`,
  'experiments/prep/steps.mjs': STEPS,
  'experiments/prep/datasources.mjs': 'export const nothing = () => null;\n',
  'experiments/prep/outputs.mjs': "export { text } from '../../libs/tools/index.mjs';\n",
  'experiments/prep/project.json': JSON.stringify({
    name: 'renamed-by-project-json',
    tags: ['mine'],
    targets: {
      report: { command: 'echo reported' },
      'experiment--high': { options: { replicates: 3 } },
    },
  }),
  'packages/experiments/deep/er/judge/config.yaml': `
datasource: { before: preparation#out }
steps: [pass]
treatments: { swapped: { datasource: { before: inner#out } } }
`,
  'packages/experiments/deep/er/judge/steps.mjs': STEPS,
  'packages/experiments/deep/er/judge/package.json': '{ "name": "@fixture/judge", "version": "1.0.0" }\n',
  'packages/experiments/deep/er/judge/inner/config.yaml': `datasource: { nothing: nothing }\nsteps: [pass]\n${OUTPUT}`,
  'packages/experiments/deep/er/judge/inner/steps.mjs': STEPS,
  'packages/experiments/deep/er/judge/inner/datasources.mjs': 'export const nothing = () => null;\n',
  'packages/experiments/deep/er/judge/inner/outputs.mjs': 'export const text = JSON.stringify;\n',
};

describe('a workspace with other things in it', () => {
  let ws: Workspace;

  beforeAll(async () => {
    ws = await workspace(FILES);
    await ws.edit(
      'package.json',
      '"private": true',
      '"private": true, "workspaces": ["packages/experiments/**"]',
    );
  });

  afterAll(() => ws[Symbol.asyncDispose]());

  const show = async (args: string) => {
    const { code, stdout, output } = await ws.nx(args);
    expect(code, output).toBe(0);
    return JSON.parse(stdout);
  };

  test('its other projects and config files are left alone; Nx names projects by their own files', async () => {
    const projects: string[] = await show('show projects --json');
    expect(projects.sort()).toEqual(['@fixture/judge', 'inner', 'renamed-by-project-json', 'tools']);
    expect(Object.keys((await show('show project tools --json')).targets)).toEqual(['lint']);
  });

  test('project.json extends and overrides what is inferred', async () => {
    const project = await show('show project renamed-by-project-json --json');
    expect(project.tags).toEqual(['experiment', 'group:Data', 'mine']);
    expect(project.metadata).toMatchObject({
      description: '🧹 Prepares.',
      technologies: ['javascript'],
      targetGroups: { 'experiment conditions': ['experiment--baseline', 'experiment--high'] },
    });
    expect(Object.keys(project.targets).sort()).toEqual([
      'experiment',
      'experiment--baseline',
      'experiment--high',
      'report',
    ]);
    expect(project.targets['experiment--high']).toMatchObject({
      executor: 'nx-experiments:run',
      cache: true,
      options: { condition: 'high', replicates: 3 },
      outputs: ['{projectRoot}/results/high'],
    });
  });

  test('references work although Nx has other names for the projects', async () => {
    const { code, ran, output } = await ws.nx('run @fixture/judge:experiment');
    expect({ code, ran }, output).toEqual({
      code: 0,
      ran: [
        '@fixture/judge:experiment',
        '@fixture/judge:experiment--baseline',
        '@fixture/judge:experiment--high',
        '@fixture/judge:experiment--swapped',
        'inner:experiment--baseline',
        'renamed-by-project-json:experiment--baseline',
        'renamed-by-project-json:experiment--high',
      ],
    });
    expect(await ws.read('experiments/prep/results/high/artifacts/replicate_2/[a] {b}*.json')).toBe('2');
    expect((await ws.nx('run @fixture/judge:experiment')).ran).toEqual([]);
  });

  test('a change of an artifact whose file_name looks like a glob reaches its consumer', async () => {
    await ws.edit('experiments/prep/config.yml', 'factor: 2', 'factor: 3');
    expect((await ws.nx('run renamed-by-project-json:experiment')).code).toBe(0);
    const { ran } = await ws.nx('run @fixture/judge:experiment');
    expect(ran).toEqual(['@fixture/judge:experiment', '@fixture/judge:experiment--high']);
  });

  test('the project graph has an edge for each reference and for shared code', async () => {
    await ws.nx('graph --file=graph.json');
    const { dependencies } = JSON.parse(await ws.read('graph.json')).graph;
    await ws.remove('graph.json');
    const edges = (name: string) =>
      dependencies[name]
        .map(({ target, type }: { target: string; type: string }) => `${target} ${type}`)
        .sort();
    expect(edges('@fixture/judge')).toEqual(['inner static', 'renamed-by-project-json static']);
    expect(edges('renamed-by-project-json')).toEqual(['tools static']);
    expect(edges('tools')).toEqual([]);
  });
});

test('include and targetName are options of the plugin, and wrong ones are named', async () => {
  await using ws = await workspace(
    {
      'studies/a/config.yaml': 'datasource: { nothing: nothing }\nsteps: [pass]\n',
      'studies/a/steps.mjs': 'export const pass = (data) => data;\n',
      'studies/a/datasources.mjs': 'export const nothing = () => null;\n',
      'experiments/b/config.yaml': 'nothing: of ours\n',
    },
    { plugin: { include: ['studies/**'], targetName: 'study' } },
  );
  const { code, ran, output } = await ws.nx('run a:study');
  expect({ code, ran }, output).toEqual({ code: 0, ran: ['a:study', 'a:study--baseline'] });
  expect((await ws.nx('show projects')).stdout.trim()).toBe('a');
  await ws.edit('nx.json', 'targetName', 'targetname');
  const wrong = await ws.nx('show projects');
  expect(wrong.code).toBe(1);
  expect(wrong.output).toContain(
    'nx.json, options of the plugin nx-experiments: unknown option "targetname". Known options:',
  );
});

test('all problems of all configs are told at once, with their places', async () => {
  await using ws = await workspace(
    {
      'experiments/one/config.yaml': 'datasource: { x: missing#out }\nstep: [a]\nreplicates: many\n',
      'experiments/two/config.yaml': 'datasource: { x: tree#out }\nsteps: [a]\n',
      'experiments/three/config.yaml':
        'datasource: { x: f }\nsteps: [a]\noutputs: { out: { file_name: a.json } }\n',
    },
    { env: { NX_ISOLATE_PLUGINS: 'true' } },
  );
  const { code, output } = await ws.nx('show projects');
  expect(code).toBe(1);
  expect(trimmed(output)).toBe(`
 NX   Failed to process project graph.

2 errors occurred while processing files for the nx-experiments plugin.
  - experiments/one/config.yaml:

      experiments/one/config.yaml:1:18 - error graph/unknown-experiment: There is no experiment "missing".

        > 1 | datasource: { x: missing#out }
            |                  ^^^^^^^
          2 | step: [a]

        Known other experiments: three, two.

      experiments/one/config.yaml:2:1 - error config/unknown-key: Unknown key "step".

          1 | datasource: { x: missing#out }
        > 2 | step: [a]
            | ^^^^
          3 | replicates: many

        Did you mean "steps"?

      experiments/one/config.yaml:3:13 - error config/invalid-type: "replicates" must be a whole number, but is the text "many".

          2 | step: [a]
        > 3 | replicates: many
            |             ^^^^

        For example: replicates: 12

  - experiments/two/config.yaml:

      experiments/two/config.yaml:1:18 - error graph/unknown-experiment: There is no experiment "tree".

        > 1 | datasource: { x: tree#out }
            |                  ^^^^
          2 | steps: [a]

        Did you mean "three"?


Pass --verbose to see the stacktraces.

`);
});

const COUNT = {
  'config.yaml': (name: string) => `name: ${name}\ndatasource: { nothing: nothing }\nsteps: [count]\n`,
  'steps.mjs': (_: string) => `
import { withMetrics } from 'nx-experiments';
import { shared } from '../../libs/a (grp) [x]/shared.mjs';
export const count = (data) => withMetrics(data, { shared, own: 1 });
`,
  'datasources.mjs': (_: string) => 'export const nothing = () => null;\n',
};

function counting(folder: string, name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(COUNT).map(([file, text]) => [`${folder}/${file}`, text(name)] as const),
  );
}

test('a folder whose path Nx reads as a pattern is refused; in all others, and in shared code, edits are noticed', async () => {
  const allowed = "experiments/!@+ a, 'é' #~^$%";
  await using ws = await workspace({
    ...counting(allowed, 'allowed'),
    'libs/a (grp) [x]/shared.mjs': 'export const shared = 1;\n',
    '!lib/late.mjs': 'export const late = 1;\n',
  });
  const runs = async (): Promise<readonly string[]> => {
    const { code, ran, output } = await ws.nx('run allowed:experiment');
    expect(code, output).toBe(0);
    return ran;
  };
  const all = ['allowed:experiment', 'allowed:experiment--baseline'];
  expect(await runs()).toEqual(all);
  expect(await runs()).toEqual([]);
  await ws.remove(`${allowed}/results`);
  expect(await runs()).toEqual([]);
  expect(ws.has(`${allowed}/results/baseline/metrics.json`)).toBe(true);
  await ws.edit(`${allowed}/steps.mjs`, 'own: 1', 'own: 2');
  expect(await runs()).toEqual(all);
  await ws.edit('libs/a (grp) [x]/shared.mjs', '1', '2');
  expect(await runs()).toEqual(all);
  await ws.edit(`${allowed}/steps.mjs`, 'libs/a (grp) [x]/shared', '!lib/late');
  await ws.edit(`${allowed}/steps.mjs`, '{ shared }', '{ late as shared }');
  expect(await runs()).toEqual(all);
  await ws.edit('!lib/late.mjs', '1', '3');
  expect(await runs()).toEqual(all);

  const patterns = ['train (2)', '(grp)/x', 'a [wip]', 'a{s,t}', '@(q)', 'a*', 'a?'];
  for (const folder of patterns)
    for (const [file, text] of Object.entries(counting(`experiments/${folder}`, 'refused')))
      await ws.write(file, text);
  for (const [file, text] of Object.entries(counting('!old/experiments/x', 'old')))
    await ws.write(file, text);
  const { code, output } = await ws.nx('run allowed:experiment');
  expect(code).toBe(1);
  for (const folder of patterns)
    expect(output).toContain(
      `experiments/${folder}/config.yaml:1:1 - error config/illegal-folder: The folder`,
    );
  expect(output).toContain('The folder "!old/experiments/x" has a path that begins with "!"');
});

test('a declared input that an ignore file hides is refused, until .nxignore shows it to Nx', async () => {
  await using ws = await workspace({
    '.gitignore': 'node_modules\n.nx\nresults\ndata/\n',
    'data/deep/y.csv': '1\n',
    'data/deep/z.csv': '1\n',
    'experiments/a/config.yaml': `datasource: { rows: read }
steps: [pass]
inputs:
  - "{workspaceRoot}/data/**/*.csv"
`,
    'experiments/a/steps.mjs': 'export const pass = (data) => data;\n',
    'experiments/a/datasources.mjs': `
import { readFileSync } from 'node:fs';
export const read = (ctx) => readFileSync('../../data/deep/y.csv', 'utf8');
`,
  });
  const refused = await ws.nx('run a:experiment');
  expect(refused.code).toBe(1);
  expect(trimmed(refused.output)).toBe(`
 NX   Failed to process project graph.

An error occurred while processing files for the nx-experiments plugin.
  - experiments/a/config.yaml:

      experiments/a/config.yaml:4:5 - error nx/ignored-input: Nx does not see "data/deep/y.csv" and 1 more: an ignore file hides it, so that a change of it would not run the experiment again.

          3 | inputs:
        > 4 |   - "{workspaceRoot}/data/**/*.csv"
            |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        Add the line "!data/" to the file .nxignore in the root of the workspace: Git goes on ignoring it, and Nx sees it.


Pass --verbose to see the stacktraces.

`);

  await ws.write('.nxignore', '!data/\n');
  expect(await ws.nx('run a:experiment')).toMatchObject({ code: 0, ran: { length: 2 } });
  expect(await ws.nx('run a:experiment')).toMatchObject({ code: 0, ran: [] });
  await ws.write('data/deep/y.csv', '2\n');
  const { ran } = await ws.nx('run a:experiment');
  expect(ran).toEqual(['a:experiment', 'a:experiment--baseline']);
});

/** Without blanks at the ends of lines. */
function trimmed(text: string): string {
  return text.replace(/ +$/gm, '');
}
