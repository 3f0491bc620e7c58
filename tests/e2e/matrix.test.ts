import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GithubRunner, type JobRun } from '../support/github-runner.ts';
import { isRunRecord } from '../support/run-records.ts';
import { type Workspace, workspace } from '../support/workspace.ts';

const REPLICATES = 3;

/** Adds up what it reads, and tells the file in RUNS that it has run. */
const MODULE = (runs: string) => `
import { appendFileSync } from 'node:fs';
export const nothing = () => 0;
export const add = async (data, ctx) => {
  appendFileSync(${JSON.stringify(runs)}, \`\${ctx.experiment}/\${ctx.condition}/\${ctx.replicate}\\n\`);
  if (ctx.params.broken && ctx.replicate === 1) throw new Error('broken');
  const read = typeof data === 'number' ? [] : Object.values(data).map((bytes) => Number(Buffer.from(bytes).toString()));
  const sum = read.reduce((a, b) => a + b, 0) + ctx.params.x + ctx.random();
  await ctx.artifact('out').write(String(sum));
  ctx.metrics.add('sum', sum);
  return data;
};
`;

const CONFIGS = {
  source: 'datasource: { n: nothing }\ntreatments: { high: { x: 10 } }',
  left: 'datasource: { a: source#out }\nexecution: { shards: 2 }',
  right: 'datasource: { a: source#out }\ntreatments: { own: { x: 5 } }',
  join: 'datasource: { a: left#out, b: right#out }',
  end: 'datasource: { a: join#out }',
  beside: 'datasource: { n: nothing }',
};

let ws: Workspace;
let github: GithubRunner;
let runs: string;
let expected: Record<string, string>;

beforeAll(async () => {
  ws = await workspace({});
  runs = ws.outside('runs');
  for (const [name, text] of Object.entries(CONFIGS)) {
    await ws.write(
      `experiments/${name}/config.yaml`,
      `${text}\nsteps: [add]\nparams: { x: 1 }\nreplicates: ${REPLICATES}\noutputs: { out: {} }\n`,
    );
    await ws.write(`experiments/${name}/steps.mjs`, MODULE(runs));
    await ws.write(`experiments/${name}/datasources.mjs`, MODULE(runs));
  }
  const generated = await ws.nx('g nx-experiments:ci github --jobs=3 --levels=3');
  expect(generated.code, generated.output).toBe(0);
  await ws.commit();
  github = new GithubRunner(ws);
});
afterAll(async () => {
  await github[Symbol.asyncDispose]();
  await ws[Symbol.asyncDispose]();
});

/** What has run since the last call, sorted. */
async function ran(): Promise<string[]> {
  const lines = existsSync(runs) ? readFileSync(runs, 'utf8').trim().split('\n') : [];
  await rm(runs, { force: true });
  return lines.sort();
}

async function results(of: Workspace): Promise<Record<string, string>> {
  const all = await of.contents('experiments');
  return Object.fromEntries(
    Object.entries(all).filter(
      ([path]) => path.includes('/results/') && !isRunRecord(path) && !path.startsWith('beside/'),
    ),
  );
}

const replicatesOf = (...conditions: string[]): string[] =>
  conditions.flatMap((id) => Array.from({ length: REPLICATES }, (_, i) => `${id}/${i}`)).sort();

const machinesOf = (jobs: Record<string, JobRun>): number[] =>
  Object.values(jobs).map(({ machines }) => machines.length);

const ALL = [
  ...['source', 'left', 'right', 'join', 'end'].flatMap((name) => [`${name}/baseline`, `${name}/high`]),
  ...['right/own', 'join/own', 'end/own'],
];

describe.sequential('the workflow that the generator writes', { timeout: 300_000 }, () => {
  test('runs every replicate once, on machines that share nothing, with the results of one machine', async () => {
    for (const name of Object.keys(CONFIGS).filter((other) => other !== 'beside'))
      await ws.edit(`experiments/${name}/config.yaml`, 'params: { x: 1 }', 'params: { x: 2 }');
    await ws.commit();
    const alone = await ws.nx('run-many -t experiment');
    expect(alone.code, alone.output).toBe(0);
    expected = await results(ws);
    expect(Object.keys(expected).length).toBeGreaterThan(50);
    await ran();

    const jobs = await github.run('.github/workflows/experiments.yml', 'HEAD~1');
    expect(JSON.parse(jobs.plan?.machines[0]?.outputs.levels ?? '').length).toBe(3);
    expect(machinesOf(jobs)).toEqual([1, 2, 3, 3, 1]);
    expect(Object.values(jobs).map(({ result }) => result)).toEqual(Array(5).fill('success'));
    expect(await ran()).toEqual(replicatesOf(...ALL));
    const last = jobs.experiments?.machines[0];
    expect(Object.values(last?.log ?? {}).join('\n')).not.toContain('to run');
    expect(await results(last?.workspace as Workspace)).toEqual(expected);
    expect(last?.log['Collect reports']).toBe('');
    expect(await last?.workspace.read('comment.md')).toContain('end');
  });

  test('starts no job for what the store of the branch has', async () => {
    await ws.edit('experiments/right/config.yaml', 'own: { x: 5 }', 'own: { x: 6 }');
    await ws.commit();
    const jobs = await github.run('.github/workflows/experiments.yml', 'HEAD~1');
    expect(Object.values(jobs).map(({ result }) => result)).toEqual(Array(5).fill('success'));
    expect(machinesOf(jobs)).toEqual([1, 1, 1, 1, 1]);
    expect(await ran()).toEqual(replicatesOf('right/own', 'join/own', 'end/own'));

    const again = await github.run('.github/workflows/experiments.yml', 'HEAD~1');
    expect(machinesOf(again)).toEqual([1, 0, 0, 0, 1]);
    expect(again['level-1']?.result).toBe('skipped');
    expect(await ran()).toEqual([]);
  });

  test('goes on with what does not need a condition that failed, and keeps what had finished', async () => {
    await ws.edit('experiments/left/config.yaml', 'params: { x: 2 }', 'params: { x: 2, broken: true }');
    await ws.edit('experiments/right/config.yaml', 'params: { x: 2 }', 'params: { x: 3 }');
    await ws.commit();
    const jobs = await github.run('.github/workflows/experiments.yml', 'HEAD~1');
    expect(jobs['level-1']?.result).toBe('failure');
    expect(jobs.experiments?.result).toBe('failure');
    const done = await ran();
    const once = replicatesOf('left/baseline', 'left/high', 'right/baseline', 'right/high');
    expect([...new Set(done)]).toEqual(once.filter((id) => done.includes(id)));
    for (const id of once.filter((other) => !/^left\/.*\/1$/.test(other)))
      expect(
        done.filter((other) => other === id),
        id,
      ).toHaveLength(1);
  });
});
