import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/workspace.ts';

const MODULE = `
export const nothing = () => 0;
export const step = async (data, ctx) => { await ctx.artifact('out').write('x'); return data; };
`;

const CONFIGS: Readonly<Record<string, string>> = {
  first: 'datasource: { n: nothing }\ntreatments: { high: { x: 2 } }',
  second: 'datasource: { a: first#out }',
  'third.one': 'datasource: { a: second#out }\nreplicates: 40',
  beside: 'datasource: { n: nothing }',
};

let ws: Workspace;
beforeAll(async () => {
  const files = Object.entries(CONFIGS).flatMap(([name, text]) => [
    [`experiments/${name}/config.yaml`, `${text}\nsteps: [step]\noutputs: { out: {} }\n`],
    [`experiments/${name}/steps.mjs`, MODULE],
    [`experiments/${name}/datasources.mjs`, MODULE],
  ]);
  ws = await workspace(Object.fromEntries(files));
});
afterAll(() => ws[Symbol.asyncDispose]());

/** Text of standard output and of standard error, told apart by files. */
async function matrix(args: string, env = ''): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [ws.outside('out'), ws.outside('err')];
  const { code } = await ws.shell(
    `${env} node_modules/.bin/nx-experiments matrix ${args} > ${out} 2> ${err}`,
  );
  const told = { code, out: readFileSync(out, 'utf8'), err: readFileSync(err, 'utf8') };
  await Promise.all([out, err].map((file) => rm(file)));
  return told;
}

/** Tasks by level and job. */
async function tasksOf(args: string, env = ''): Promise<string[][][]> {
  const { code, out, err } = await matrix(`${args} --format json`, env);
  expect({ code, err }).toEqual({ code: 0, err: expect.anything() });
  return JSON.parse(out).levels.map((level: { jobs: { tasks: string[] }[] }) =>
    level.jobs.map((job) => job.tasks),
  );
}

const both = (project: string): string[][] => [
  [`${project}:experiment--baseline`],
  [`${project}:experiment--high`],
];

describe('without --affected', () => {
  test('all conditions are there, by level, and no comparison', async () => {
    expect(await tasksOf('')).toEqual([
      [['beside:experiment--baseline'], ...both('first')],
      both('second'),
      both('third.one'),
    ]);
  });
  test('named experiments, with what they read', async () => {
    expect(await tasksOf('second')).toEqual([both('first'), both('second')]);
  });
  test('levels that are deeper fall into the last one', async () => {
    const chain = (condition: string): string[] =>
      ['second', 'third.one'].map((project) => `${project}:experiment--${condition}`);
    expect(await tasksOf('third.one --levels 2')).toEqual([
      both('first'),
      [chain('baseline'), chain('high')],
    ]);
  });
  test('the text for GitHub is one line, the same each time, with what to run', async () => {
    const { out, err } = await matrix('--jobs 1');
    expect(out.trim()).not.toContain('\n');
    expect(JSON.parse(out)).toHaveLength(3);
    expect(JSON.parse(out)[2]).toEqual({
      include: [
        {
          name: 'level 3, job 1: third.one:experiment--baseline and 1 more',
          level: 3,
          job: 1,
          run: 'run-many --targets=experiment--baseline,experiment--high --projects=third.one',
          estimatedSeconds: expect.any(Number),
        },
      ],
    });
    expect(err).toContain('No replicate has finished before: estimated by the number of replicates.');
    expect((await matrix('--jobs 1')).out).toBe(out);
  });
});

describe('GitLab', () => {
  test('a job needs those whose results it reads, and a failing level stops nothing else', async () => {
    const { out } = await matrix('third.one --format gitlab');
    const { include, stages, ...jobs } = JSON.parse(out);
    expect(include).toEqual([{ local: '.gitlab/experiments-jobs.yml' }]);
    expect(stages).toEqual(['level 1', 'level 2', 'level 3', 'report']);
    expect(Object.keys(jobs)).toHaveLength(6);
    expect(jobs['level 3, job 2']).toEqual({
      extends: '.experiments-job',
      stage: 'level 3',
      needs: ['level 1, job 2', 'level 2, job 2'],
      variables: {
        NX_EXPERIMENTS_JOB: '3-2',
        NX_EXPERIMENTS_RUN: 'run-many --targets=experiment--high --projects=third.one',
      },
    });
  });
  test('the pipeline compares with the same commits', async () => {
    const env = 'NX_BASE=HEAD NX_HEAD=HEAD';
    expect(JSON.parse((await matrix('--affected --format gitlab', env)).out)).toEqual({
      include: [{ local: '.gitlab/experiments-jobs.yml' }],
      stages: ['report'],
      variables: { NX_BASE: 'HEAD', NX_HEAD: 'HEAD' },
    });
  });
});

describe.sequential('with --affected', () => {
  test('nothing is affected by nothing', async () => {
    const { code, out, err } = await matrix('--affected --base HEAD');
    expect({ code, out, err }).toEqual({ code: 0, out: '[]\n', err: 'Nothing to run.\n' });
  });
  test('Nx says what a change reaches, and what that reads', async () => {
    await ws.write('experiments/second/steps.mjs', `${MODULE}export const more = 1;\n`);
    await ws.commit();
    const expected = [both('first'), both('second'), both('third.one')];
    expect(await tasksOf('--affected --base HEAD~1')).toEqual(expected);
    expect(await tasksOf('--affected', 'NX_BASE=HEAD~1 NX_HEAD=HEAD')).toEqual(expected);
  });
  test('without a base, defaultBase counts', async () => {
    expect(await tasksOf('--affected')).toEqual([]);
  });
});

describe.sequential('history', () => {
  test('makes estimates, and no more jobs than pay', async () => {
    expect((await ws.nx('run-many -t experiment -p beside,first,second')).code).toBe(0);
    const { err } = await matrix('second');
    expect(err).not.toContain('No replicate');
    expect(await tasksOf('second')).toEqual([[both('first').flat()], [both('second').flat()]]);
    // The longest comes first, which may be either.
    const spread = (await tasksOf('second --job-cost 0')).map((jobs) => jobs.sort());
    expect(spread).toEqual([both('first'), both('second')]);
    expect((await matrix('')).err).toContain('Of 2 tasks no replicate has finished before');
  });
  test('lies in results/ when there is no store', async () => {
    expect((await matrix('second', 'NX_EXPERIMENTS_STORE=off')).err).not.toContain('No replicate');
    await ws.write(
      'experiments/second/results/baseline/run.jsonl',
      '{"type":"replicate","ms":"x"}\n{"type":"repl',
    );
    await ws.write('experiments/second/results/high/run.jsonl', '');
    expect((await matrix('second', 'NX_EXPERIMENTS_STORE=off')).err).toContain('Of 2 tasks');
  });
  test('--reuse leaves out what the store has', async () => {
    expect(await tasksOf('--reuse')).toEqual([both('third.one')]);
    expect((await matrix('second --reuse')).err).toBe(
      'Nothing to run; 4 tasks left out: the run store has all of it.\n',
    );
    expect(await tasksOf('second --reuse', 'NX_EXPERIMENTS_STORE=off')).toEqual([
      [both('first').flat()],
      both('second'),
    ]);
  });
});

test.each([
  ['--jobs 0', '--jobs must be a whole number from 1 to 256, and is "0".'],
  ['--jobs 2.5', '--jobs must be a whole number from 1 to 256, and is "2.5".'],
  ['--jobs 257', '--jobs must be a whole number from 1 to 256, and is "257".'],
  ['--levels 0', '--levels must be a whole number from 1 to 1000, and is "0".'],
  ['--format githb', 'Unknown format "githb". Did you mean "github"?'],
  ['secnd', 'There is no experiment "secnd". Did you mean "second"?'],
  ['--base HEAD', '--base belongs to --affected: give both.'],
  ['--affected --base=--output=x', '"--base=--output=x" is no commit.'],
  ['second --affected', 'Give experiments or --affected, not both: --affected finds them.'],
  [
    '--affected --base nowhere',
    'There is no commit "nowhere" to compare with. Give another one with --base or NX_BASE; in CI, check out the whole history (fetch-depth: 0).',
  ],
  [
    '--affected --head nowhere',
    'There is no commit "nowhere" to compare with. Give another one with --head or NX_HEAD; in CI, check out the whole history (fetch-depth: 0).',
  ],
])('%s is refused', async (args, message) => {
  expect(await matrix(args)).toEqual({ code: 2, out: '', err: `${message}\n` });
});

test('without Git, --affected says so', async () => {
  const { code, err } = await matrix('--affected', `GIT_DIR=${join(ws.root, 'nowhere')}`);
  expect(code).toBe(2);
  expect(err).toContain('is in no Git repository');
});

test('what it says to run is what Nx runs', async () => {
  const [
    ,
    {
      include: [job],
    } = { include: [] },
  ] = JSON.parse((await matrix('--jobs 1')).out);
  const { code, ran, cached } = await ws.nx(job.run);
  expect({ code, tasks: [...ran, ...cached].sort() }).toEqual({
    code: 0,
    tasks: [...both('first'), ...both('second')].flat(),
  });
});
