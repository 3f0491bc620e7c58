import { spawnSync } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { config, Lab } from '../support/engine.ts';

const BIN = join(import.meta.dirname, '../../plugin/bin/nx-experiments.js');
const SUBMISSION = '.nx/experiments/submissions/0001';

const MODULE = `
export const source = (ctx) => ctx.random();
export const step = async (data, ctx) => {
  ctx.metrics.add('value', ctx.params.x ?? 1);
  if (ctx.experiment === 'maker') await ctx.artifact('out').write('text');
  return data;
};
`;

function lab(): Lab {
  return new Lab({
    'nx.json': { plugins: ['nx-experiments'] },
    'experiments/maker/config.yaml': config({
      replicates: 2,
      outputs: { out: {} },
      treatments: { warm: { x: 2 } },
    }),
    'experiments/maker/steps.mjs': MODULE,
    'experiments/maker/datasources.mjs': MODULE,
    'experiments/reader/config.yaml': { datasource: { text: 'maker#out' }, steps: ['step'] },
    'experiments/reader/steps.mjs': MODULE,
  });
}

function cli({ root }: Lab, ...args: string[]) {
  const env = { ...process.env, NX_EXPERIMENTS_STORE: '', PATH: root };
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    cwd: root,
    encoding: 'utf8',
    env,
  });
  return { code: status, out: stdout, err: stderr };
}

test.each([
  [['submit'], '"submit" needs an engine: --engine slurm or --engine local.'],
  [['submit', '--engine', 'slrum'], 'Unknown engine "slrum". Did you mean "slurm"?'],
  [['submit', '--engine', 'slurm', 'makr'], 'There is no experiment "makr". Did you mean "maker"?'],
  [
    ['submit', '--engine', 'slurm', 'a.ts'],
    'experiments that are defined in code run where they are defined.',
  ],
  [['submit', '--engine', 'slurm', '--shards', '0'], '"--shards 0" must be a whole number from 1 to 1000.'],
  [['submit', '--engine', 'slurm', '--sbatch=--array=7'], '--sbatch cannot take "--array=7"'],
  [['submit', '--engine', 'slurm', '--sbatch="x'], '--sbatch="x: a quote is not closed.'],
  [
    ['submit', '--engine', 'slurm', '--replicates', '0'],
    '"--replicates=0" must be a whole number from 1 to 10000000.',
  ],
  [['submit', '--engine', 'slurm', '--seed', 'x'], '"--seed=x" must be a whole number from 0 to 4294967295.'],
  [
    ['submit', '--engine', 'slurm', '--treatment', 'wram'],
    'No experiment of the graph has a treatment "wram". Did you mean "warm"?',
  ],
  [['submit', '--engine', 'local', '--time', '1'], '--time is for a cluster'],
  [
    ['submit', '--engine', 'slurm'],
    'There is no sbatch on the PATH: run this on a machine that submits to Slurm',
  ],
  [['status'], 'Nothing has been submitted from this workspace.'],
  [['status', 'a', 'b'], '"status" takes one submission, such as 0001.'],
  [['collect', '7'], 'Nothing has been submitted from this workspace.'],
  [['cancel'], 'Nothing has been submitted from this workspace.'],
])('%j is wrong, and says how', (args, message) => {
  using ws = lab();
  const { code, out, err } = cli(ws, ...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(message);
});

test('a store that is off cannot hand anything over', () => {
  using ws = lab();
  ws.write({ 'nx.json': { plugins: [{ plugin: 'nx-experiments', options: { store: false } }] } });
  expect(cli(ws, 'submit', '--engine', 'slurm').err).toContain('The run store is off');
});

describe('a submission to this machine', () => {
  test('comes to what a run comes to', () => {
    using here = lab();
    expect(cli(here, 'run', 'reader').code).toBe(0);
    using ws = lab();
    const dry = cli(ws, 'submit', '--engine', 'local', 'reader', '--dry-run');
    expect(dry.out).toContain('# 8 jobs; nothing was submitted.\n');
    expect(ws.files('.').filter((file) => file.startsWith('.nx/experiments/submissions'))).toEqual([]);
    const submitted = cli(ws, 'submit', '--engine', 'local', 'reader', '--json');
    expect(JSON.parse(submitted.out)).toMatchObject({
      submission: '0001',
      cached: 0,
      conditions: [{}, {}, {}, {}],
    });
    const { code, out } = cli(ws, 'collect', '--wait', '--json');
    expect(JSON.parse(out)).toMatchObject({ submission: '0001', status: 'succeeded', problems: [] });
    expect(code).toBe(0);
    expect(ws.snapshot()).toEqual(here.snapshot());
    expect(JSON.parse(cli(ws, 'status', '1', '--json').out)).toMatchObject({
      submission: '0001',
      engine: 'local',
      conditions: Array.from({ length: 4 }, () => ({ state: 'succeeded' })),
    });
    expect(cli(ws, '__complete', '--', 'collect', '').out).toBe('0001\n');
    expect(cli(ws, '__complete', '--', 'submit', '--engine', 's').out).toBe('slurm\n');
    expect(cli(ws, 'status', '2').err).toContain('There is no submission "2". Known submissions: 0001.');
    expect(cli(ws, 'submit', '--engine', 'local').out).toBe(
      'Nothing to submit. 4 conditions have their results.\n',
    );
  });

  test('of chosen treatments, replicates and seed comes to what such a run comes to', () => {
    const choices = ['--replicates', '1', '--seed', '7', '--treatment', 'warm'];
    const treatments = { warm: { x: 2 }, cold: {} };
    const cold = {
      'experiments/maker/config.yaml': config({ replicates: 2, outputs: { out: {} }, treatments }),
    };
    using here = lab();
    here.write(cold);
    expect(cli(here, 'run', 'maker', ...choices).code).toBe(0);
    using ws = lab();
    ws.write(cold);
    expect(cli(ws, 'submit', '--engine', 'local', 'maker', ...choices, '--json').code).toBe(0);
    expect(cli(ws, 'collect', '--wait')).toMatchObject({ code: 0, err: expect.any(String) });
    expect(ws.snapshot()).toEqual(here.snapshot());
    expect(cli(ws, 'plan', 'maker', ...choices).out).toContain('Nothing to run.');
    expect(cli(ws, 'plan', 'maker').out).toContain('maker/cold');
    ws.write({ 'experiments/maker/steps.mjs': `${MODULE}// changed\n` });
    expect(cli(ws, 'collect').out).toContain(
      'When that is mended: nx-experiments submit --engine local --replicates 1 --seed 7 --treatment warm maker\n',
    );
  });

  test('is known by its results when all that was written down is gone, and not when they are old', () => {
    using ws = lab();
    cli(ws, 'submit', '--engine', 'local', 'maker');
    expect(cli(ws, 'collect', '--wait').code).toBe(0);
    for (const lost of ['.nx/experiments/local', `${SUBMISSION}/outcomes`, `${SUBMISSION}/seen.json`])
      rmSync(join(ws.root, lost), { recursive: true });
    expect(cli(ws, 'status').out).toContain(
      'failed: it is gone: the engine does not know it, and it left nothing\n',
    );
    expect(cli(ws, 'collect')).toMatchObject({
      code: 0,
      out: expect.stringContaining('maker: 2 conditions'),
    });
    ws.write({ 'experiments/maker/steps.mjs': `${MODULE}// changed\n` });
    const changed = cli(ws, 'collect');
    expect(changed.code).toBe(1);
    expect(changed.out).not.toContain('vs baseline');
    for (const condition of ['baseline', 'warm'])
      expect(changed.out).toContain(
        `maker/${condition}: is no longer what was submitted (steps.mjs changed)\n`,
      );
    expect(changed.out).toContain('When that is mended: nx-experiments submit --engine local maker\n');
  });

  test('that is damaged is an error that says what to do', () => {
    using ws = lab();
    cli(ws, 'submit', '--engine', 'local', 'maker');
    cli(ws, 'collect', '--wait');
    appendFileSync(join(ws.root, SUBMISSION, 'jobs.jsonl'), '{"id":');
    const message = `${join(ws.root, SUBMISSION)}/submission.json or jobs.jsonl beside it is damaged. Cancel its jobs by the engine's own command, remove`;
    for (const command of [['status'], ['collect'], ['cancel'], ['submit', '--engine', 'local', 'maker']]) {
      expect(cli(ws, ...command)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    }
  });
});
