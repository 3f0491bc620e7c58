import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Workspace, workspace } from '../support/workspace.ts';

const NPX = 'npx() { local name=$1; shift; "node_modules/.bin/$name" "$@"; }';

interface GitlabJob {
  readonly needs?: readonly string[];
  readonly extends?: string;
  readonly variables: Record<string, string>;
  readonly script: readonly string[];
  readonly after_script: readonly string[];
  readonly artifacts: { readonly paths: readonly string[] };
}

let ws: Workspace;
let runs: string;
const machines: Workspace[] = [];

beforeAll(async () => {
  ws = await workspace({});
  runs = ws.outside('runs');
  const module = `
import { appendFileSync } from 'node:fs';
export const nothing = () => 0;
export const step = async (data, ctx) => {
  appendFileSync(${JSON.stringify(runs)}, ctx.experiment + '/' + ctx.condition + '\\n');
  await ctx.artifact('out').write(ctx.experiment);
  return data;
};
`;
  for (const [name, text] of Object.entries({
    first: 'datasource: { n: nothing }\ntreatments: { high: { x: 2 } }',
    second: 'datasource: { a: first#out }',
  })) {
    await ws.write(`experiments/${name}/config.yaml`, `${text}\nsteps: [step]\noutputs: { out: {} }\n`);
    await ws.write(`experiments/${name}/steps.mjs`, module);
    await ws.write(`experiments/${name}/datasources.mjs`, module);
  }
  const { code, output } = await ws.nx('g nx-experiments:ci gitlab --jobs=2');
  expect(code, output).toBe(0);
  await ws.write('experiments/first/changed.txt', '');
  await ws.commit();
});
afterAll(async () => {
  for (const machine of [...machines, ws]) await machine[Symbol.asyncDispose]();
});

/** A fresh clone that runs a job, with the artifacts of the jobs that it needs. @returns the clone */
async function runJob(job: GitlabJob, variables: Record<string, string>, artifacts: readonly Workspace[]) {
  const machine = new Workspace(realpathSync(mkdtempSync(join(tmpdir(), 'machine-'))), {});
  machines.push(machine);
  await ws.git('clone', '--quiet', ws.root, machine.root);
  await machine.linkPackages();
  for (const { root } of artifacts) {
    const moved = join(root, '.nx/moved');
    if (existsSync(moved)) cpSync(moved, join(machine.root, '.nx/moved'), { recursive: true });
  }
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
  for (const script of [job.script, job.after_script]) {
    const { code, output } = await machine.shell([...exports, NPX, 'set -eo pipefail', ...script].join('\n'));
    expect({ code, output }).toEqual({ code: 0, output: expect.anything() });
  }
  return machine;
}

test('the planned pipeline runs each condition once, and its last job finds everything', {
  timeout: 300_000,
}, async () => {
  const [plan] = parse(await ws.read('.gitlab/experiments.yml'))['experiments:plan'].script;
  const base = (await ws.git('rev-list', '--max-parents=0', 'HEAD')).trim();
  const planned = await ws.shell(`${NPX}\nexport NX_BASE=${base} NX_HEAD=HEAD\n${plan}`);
  expect(planned.code, planned.output).toBe(0);
  const { include, stages, variables, ...jobs } = parse(await ws.read('experiments-pipeline.yml'));
  await ws.remove('experiments-pipeline.yml');
  expect(stages).toEqual(['level 1', 'level 2', 'report']);
  expect(variables).toEqual({ NX_BASE: base, NX_HEAD: 'HEAD' });
  const { experiments, ...templates } = parse(await ws.read(include[0].local)) as Record<string, GitlabJob>;

  const done = new Map<string, Workspace>();
  for (const [name, job] of Object.entries<GitlabJob>(jobs)) {
    const template = templates[job.extends ?? ''] as GitlabJob;
    const needed = (job.needs ?? []).map((other) => done.get(other) as Workspace);
    done.set(name, await runJob(template, { ...variables, ...template.variables, ...job.variables }, needed));
  }
  expect(done.size).toBe(4);
  const conditions = ['first/baseline', 'first/high', 'second/baseline', 'second/high'];
  expect(readFileSync(runs, 'utf8').trim().split('\n').sort()).toEqual(conditions);

  const last = experiments as GitlabJob;
  const machine = await runJob(last, { ...variables, ...last.variables }, [...done.values()]);
  expect(readFileSync(runs, 'utf8').trim().split('\n').sort()).toEqual(conditions);
  expect(await machine.read('experiments/second/results/high/artifacts/replicate_0/out')).toContain('second');
  expect(await machine.read('comment.md')).toContain('# second');
});
