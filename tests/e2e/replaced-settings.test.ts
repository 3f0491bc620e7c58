import { expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/workspace.ts';

const STEPS = `
import { withMetrics } from 'nx-experiments';
export const pass = async (data, ctx) => {
  await ctx.artifact('out').write('a');
  return withMetrics(data, { value: 1 });
};
export const count = async (data) => withMetrics(data, { length: data.before.toString().length });
`;
const FILES = {
  'experiments/first/config.yaml':
    'datasource: { nothing: nothing }\nsteps: [pass]\noutputs: { out: { file_name: out.txt } }\n',
  'experiments/first/datasources.js': 'export const nothing = () => null;\n',
  'experiments/first/steps.js': STEPS,
  // Nx knows this one by another name than the experiment's.
  'experiments/first/project.json': '{ "name": "the-first" }\n',
  'experiments/second/config.yaml':
    'datasource: { before: first#out }\nsteps: [count]\nexecution: { shards: 2 }\nreplicates: 2\n',
  'experiments/second/steps.js': STEPS,
  'experiments/third/config.yaml': 'datasource: { before: first#out }\nsteps: [count]\n',
  'experiments/third/steps.js': STEPS,
};

async function nxJson(ws: Workspace, targetDefaults: object): Promise<void> {
  const plugins = ['nx-experiments'];
  await ws.write(
    'nx.json',
    JSON.stringify({ plugins, analytics: false, neverConnectToCloud: true, targetDefaults }),
  );
}

test('lists of inferred targets that nx.json replaces are refused: old results passed for new ones', async () => {
  await using ws = await workspace(FILES);
  const before = await ws.nx('run-many -t experiment');
  expect(before.code, before.output).toBe(0);
  await ws.edit('experiments/first/steps.js', "write('a')", "write('abc')");
  const told = async (targetDefaults: object): Promise<string[]> => {
    await nxJson(ws, targetDefaults);
    const { code, output } = await ws.nx('run-many -t experiment -p second third');
    expect(code, output).toBe(1);
    return [...new Set(output.match(/^".*/gm))];
  };
  const text = (list: string, of: string, risk: string, example: string) =>
    `"${list}" of ${of} is replaced by "targetDefaults" in nx.json or by a project.json: ${risk}. Begin the list there with "...", which stands for what is inferred: "${list}": ${example}.`;
  expect(await told({ 'nx-experiments:run': { dependsOn: ['^build'] } })).toEqual([
    text(
      'dependsOn',
      'second:experiment',
      'Nx would not run first what it reads, and old results could pass for new ones',
      '["...", "^build"]',
    ),
  ]);
  expect(await told({ 'experiment--baseline': { inputs: ['{projectRoot}/*.js'] } })).toEqual([
    text(
      'inputs',
      'the-first:experiment--baseline',
      'Nx would not notice what changes its results, and old ones could pass for new ones',
      '["...", "{workspaceRoot}/data.csv"]',
    ),
  ]);
  expect(await told({ 'experiment--baseline': { outputs: ['{projectRoot}/more'] } })).toEqual([
    text(
      'outputs',
      'the-first:experiment--baseline',
      'Nx would not keep its results',
      '["...", "{projectRoot}/more"]',
    ),
  ]);
  await nxJson(ws, {
    'nx-experiments:run': {
      dependsOn: ['...', '^build'],
      inputs: ['...', '{projectRoot}/x'],
      outputs: ['...'],
    },
  });
  for (const batch of ['true', 'false']) {
    const after = await ws.nx('run-many -t experiment -p second third', { NX_BATCH_MODE: batch });
    expect(after.code, after.output).toBe(0);
    expect(await ws.read('experiments/third/results/baseline/metrics.json')).toContain('"length":[3]');
  }
});

test('a condition that something else runs is refused where it is read', async () => {
  await using ws = await workspace({
    ...FILES,
    'experiments/first/config.yaml': `${FILES['experiments/first/config.yaml']}treatments: { fast: {} }\n`,
  });
  const before = await ws.nx('run-many -t experiment');
  expect(before.code, before.output).toBe(0);
  const targets = { 'experiment--fast': { executor: 'nx:run-commands', options: { command: 'true' } } };
  await ws.write('experiments/first/project.json', JSON.stringify({ name: 'the-first', targets }));
  await ws.edit('experiments/first/steps.js', "write('a')", "write('abc')");
  for (const [project, reader] of [
    ['the-first', 'the-first:experiment'],
    ['third', 'third:experiment--fast'],
  ] as const) {
    const { code, output } = await ws.nx(`run ${project}:experiment`);
    expect(code, output).toBe(1);
    expect(output).toContain(
      `The target the-first:experiment--fast, whose results ${reader} reads, is run by nx:run-commands in place of nx-experiments:run`,
    );
  }
});

test('replicates that are given to the comparison alone are refused, with what to do instead', async () => {
  await using ws = await workspace(FILES);
  const run = async (targetDefaults: object, options = '') => {
    await nxJson(ws, targetDefaults);
    return ws.nx(`run third:experiment${options}`);
  };
  const OPTIONS = { options: { replicates: 3 } };
  const alone = await run({ experiment: OPTIONS });
  expect(alone.code, alone.output).toBe(1);
  expect(alone.output).toContain(
    '"replicates": 3 of third:experiment does not reach third:experiment--baseline, whose results it compares: "targetDefaults" in nx.json or a project.json says so. Write it in config.yaml, pass --replicates=3 to the run, or give it to all experiments: "targetDefaults": { "nx-experiments:run": { "options": { "replicates": 3 } } }.',
  );
  const typed = await run({ experiment: OPTIONS }, ' --replicates=4');
  expect(typed.code, typed.output).toBe(0);
  const ofAll = await run({ 'nx-experiments:run': OPTIONS });
  expect(ofAll.code, ofAll.output).toBe(0);
  expect(await ws.read('experiments/third/results/baseline/metrics.json')).toContain('"replicate":2');
});
