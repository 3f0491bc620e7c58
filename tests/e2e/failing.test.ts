import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { block, type Workspace, workspace } from '../support/workspace.ts';

const OUTPUT = 'outputs: { out: { file_name: out.json, writer: text } }\n';
const MODULES = (name: string) => ({
  [`experiments/${name}/datasources.mjs`]: 'export const nothing = () => null;\n',
  [`experiments/${name}/outputs.mjs`]: 'export const text = JSON.stringify;\n',
});

const FILES = {
  ...MODULES('source'),
  'experiments/source/config.yaml': `
datasource: { nothing: nothing }
steps: [prepare, explode]
replicates: 3
${OUTPUT}
treatments: { broken: { limit: 1 } }
`,
  'experiments/source/steps.ts': `import { appendFileSync } from 'node:fs';
import { defineStep, withMetrics } from 'nx-experiments';

export const prepare = (data: unknown) => data;

interface Params {
  limit: number;
}

function check(replicate: number, { limit }: Params): void {
  if (replicate === limit) throw new RangeError('no luck at ' + replicate);
}

export const explode = defineStep<Params, unknown, unknown>({ limit: 99 }, async (data, params, ctx) => {
  appendFileSync(process.env.FIXTURE_LOG ?? '', ctx.condition + ctx.replicate + ' ');
  check(ctx.replicate, params);
  await ctx.artifact('out').write(ctx.replicate);
  return withMetrics(data, { limit: params.limit });
});
`,
  ...MODULES('sink'),
  'experiments/sink/config.yaml': 'datasource: { before: source#out }\nsteps: [pass]\n',
  'experiments/sink/steps.mjs': 'export const pass = (data) => data;\n',

  ...MODULES('exits'),
  'experiments/exits/config.yaml': `
datasource: { nothing: nothing }
steps: [leave]
replicates: 3
execution: { timeout: 400ms, workers: 1 }
treatments: { endless: { how: endless }, asleep: { how: asleep } }
`,
  'experiments/exits/steps.mjs': `
import { defineStep } from 'nx-experiments';
export const leave = defineStep({ how: 'exit' }, async (data, { how }, ctx) => {
  if (ctx.replicate !== 1) return data;
  if (how === 'exit') process.exit(3);
  if (how === 'endless') for (;;);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
`,
  ...MODULES('hasty'),
  'experiments/hasty/config.yaml': `
datasource: { nothing: nothing }
steps: [hurry]
replicates: 20
execution: { workers: 1 }
treatments: { patient: {} }
`,
  'experiments/hasty/steps.mjs': `
import { appendFileSync } from 'node:fs';
export const hurry = async (data, ctx) => {
  appendFileSync(process.env.FIXTURE_LOG, ctx.condition + ctx.replicate + ' ');
  if (ctx.condition === 'baseline') throw 'the towel';
  await new Promise((resolve) => setTimeout(resolve, 500));
  return data;
};
`,
  ...MODULES('module'),
  'experiments/module/config.yaml': 'datasource: { nothing: nothing }\nsteps: [pass, misspelled]\n',
  'experiments/module/steps.ts': "import './absent.ts';\nexport const pass = (data: unknown) => data;\n",
  'experiments/module/verifiers.mjs': 'export const v = () => ({});\n',

  ...MODULES('slow'),
  'experiments/slow/config.yaml': `
datasource: { nothing: nothing }
steps: [wait]
replicates: 4
params: { ms: 0 }
${OUTPUT}
`,
  'experiments/slow/steps.mjs': `
import { appendFileSync, writeFileSync } from 'node:fs';
import { defineStep } from 'nx-experiments';
export const wait = defineStep({ ms: 0 }, async (data, { ms }, ctx) => {
  const { path } = ctx.artifact('out');
  writeFileSync(path, 'half');
  appendFileSync(process.env.FIXTURE_LOG, process.pid + ' ');
  console.log('waiting');
  await new Promise((resolve) => setTimeout(resolve, ms));
  writeFileSync(path, 'whole');
  return data;
});
`,
};

let ws: Workspace;
let env: Record<string, string>;

beforeAll(async () => {
  ws = await workspace(FILES);
  env = { FIXTURE_LOG: ws.outside('log') };
});

afterAll(() => ws[Symbol.asyncDispose]());

/** Output with the time that each task took left out. */
const withoutTimes = (text: string): string => text.replace(/, [\d.]+ m?s$/gm, '');

test('a step that throws is named with its place; all else goes on; it runs again the next time', async () => {
  const first = await ws.nx('run sink:experiment', env);
  expect(first.code).toBe(1);
  expect(withoutTimes(first.stdout)).toContain(`
> nx run source:experiment--broken

source/broken: 1 of 3 replicates failed
  source/broken, replicate 1: step explode threw RangeError: no luck at 1
    at check (experiments/source/steps.ts:11)
    at experiments/source/steps.ts:16
`);
  // Its other replicates, and the other branch of the graph.
  const log = (await readFile(ws.outside('log'), 'utf8')).trim().split(' ').sort();
  expect(log).toEqual(['baseline0', 'baseline1', 'baseline2', 'broken0', 'broken1', 'broken2']);
  expect(first.ran).toEqual([
    'sink:experiment--baseline',
    'source:experiment--baseline',
    'source:experiment--broken',
  ]);
  const [, skipped = ''] = first.output.split('Tasks not run because their dependencies failed');
  expect(skipped.match(/^- sink:.+/gm)?.sort()).toEqual(['- sink:experiment', '- sink:experiment--broken']);
  const { failed, replicates } = JSON.parse(await ws.read('experiments/source/results/broken/metrics.json'));
  expect(replicates).toHaveLength(2);
  expect(failed).toEqual([
    { replicate: 1, seed: 31337, reason: 'step explode threw RangeError: no luck at 1' },
  ]);

  await rm(ws.outside('log'));
  const again = await ws.nx('run sink:experiment', env);
  expect(again).toMatchObject({
    code: 1,
    ran: ['source:experiment--broken'],
    cached: ['sink:experiment--baseline', 'source:experiment--baseline'],
  });
  expect(await readFile(ws.outside('log'), 'utf8')).toBe('broken1 '); // what finished is kept
});

test('--failFast stops the whole run at the first failure', async () => {
  await rm(ws.outside('log'), { force: true });
  const { code, stdout, ran } = await ws.nx('run hasty:experiment --failFast', env);
  expect({ code, ran }).toEqual({ code: 1, ran: ['hasty:experiment--baseline'] });
  expect(withoutTimes(stdout)).toContain(`
> nx run hasty:experiment--baseline --failFast

hasty/baseline: 1 of 20 replicates failed
  hasty/baseline, replicate 0: step hurry threw a value that is no Error: the towel
    in experiments/hasty
`);
  const log = (await readFile(ws.outside('log'), 'utf8')).trim().split(' ');
  expect(log.filter((line) => line.startsWith('baseline'))).toEqual(['baseline0']);
  expect(log.length).toBeLessThan(5);
  expect(ws.has('experiments/hasty/results/patient')).toBe(false);
});

test('a replicate that ends its process, or that hangs, fails alone', async () => {
  const { code, stdout, ran } = await ws.nx('run exits:experiment');
  expect({ code, ran }).toEqual({
    code: 1,
    // What there is, is compared all the same.
    ran: [
      'exits:experiment',
      'exits:experiment--asleep',
      'exits:experiment--baseline',
      'exits:experiment--endless',
    ],
  });
  expect(block(stdout, 'exits:experiment')).toBe(`exits: 3 conditions

  No metrics were recorded.

  baseline: 1 of 3 replicates failed
  endless: 1 of 3 replicates failed
  asleep: 1 of 3 replicates failed

exits: 3 conditions did not succeed: baseline, endless, asleep`);
  const reasons = {
    baseline: 'the worker process ended: exit code 3 (did a step call process.exit?)',
    endless: 'timed out after 400 ms in step leave',
    asleep: 'timed out after 400 ms in step leave',
  };
  for (const [condition, reason] of Object.entries(reasons)) {
    expect(withoutTimes(stdout)).toContain(`
exits/${condition}: 1 of 3 replicates failed
  exits/${condition}, replicate 1: ${reason}
    in experiments/exits
`);
    const { replicates } = JSON.parse(await ws.read(`experiments/exits/results/${condition}/metrics.json`));
    expect(replicates.map(({ replicate }: { replicate: number }) => replicate)).toEqual([0, 2]);
  }
});

test('a module that cannot be loaded is named', async () => {
  const { code, stdout } = await ws.nx('run module:experiment');
  expect(code).toBe(1);
  expect(block(stdout, 'module:experiment--baseline')).toBe(
    `module/baseline: failed
  module/baseline: experiments/module/steps.ts could not be loaded: Error: Cannot find module './absent.ts', imported by experiments/module/steps.ts
    at experiments/module/steps.ts:1`,
  );
});

test('Ctrl-C stops within a second, and leaves the old results, no half file and no process', async () => {
  expect((await ws.nx('run slow:experiment', env)).code).toBe(0);
  const before = await ws.contents('experiments/slow/results');
  await ws.edit('experiments/slow/config.yaml', 'ms: 0', 'ms: 30000');
  await rm(ws.outside('log'));
  const run = await ws.start('run slow:experiment', env);
  await run.printed('| waiting');
  const at = performance.now();
  run.interrupt();
  const { code, cached } = await run.finished;
  expect(performance.now() - at).toBeLessThan(10_000); // of 30 s that the step would take: a machine may be busy
  expect({ code, cached }).toEqual({ code: 1, cached: [] });
  expect(await ws.contents('experiments/slow/results')).toEqual(before);
  const workers = (await readFile(ws.outside('log'), 'utf8')).trim().split(' ').map(Number);
  expect(workers).not.toEqual([]);
  await expect.poll(() => workers.filter(isAlive), { timeout: 2000 }).toEqual([]);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
