import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createSubmission, submissionIds } from '../../plugin/build/scale/submissions-folder.js';
import { config, Lab } from '../support/engine.ts';

const BIN = join(import.meta.dirname, '../../plugin/bin/nx-experiments.js');
const SUBMISSION = '.nx/experiments/submissions/0001';

/** A file stops a step, another one lets it wait: neither is an input. */
const MODULE = `
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
export const source = (ctx) => ctx.random();
export const step = async (data, ctx) => {
  while (existsSync(process.env.BESIDE + '/wait')) await sleep(20);
  if (existsSync(process.env.BESIDE + '/broken')) throw new Error('broken');
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

function cli(ws: Lab, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    ...settings(ws),
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

/** The same, while something else happens. */
function begin(ws: Lab, ...args: string[]) {
  const child = spawn(process.execPath, [BIN, ...args], settings(ws));
  const told = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    told.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    told.err += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, told, ended };
}

function settings({ root }: Lab) {
  return { cwd: root, env: { ...process.env, NX_EXPERIMENTS_STORE: '', PATH: root, BESIDE: root } };
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !holds(); i++) await sleep(50);
  expect(holds()).toBe(true);
}

/**
 * The commands of Slurm as scripts, whose jobs run until a file says otherwise: `refused` holds the number of a job that
 * is not taken, `killed` that of one at which the submit is killed, with `slow` none is taken, and with `silent` neither
 * squeue nor scancel answers.
 */
function slurm(ws: Lab): void {
  const silent = `cd '${ws.root}'; if [ -e silent ]; then echo "$0: error: timed out" >&2; exit 1; fi`;
  const commands = {
    sbatch: `cd '${ws.root}'; n=0; read n < jobs; n=$((n + 1))
if [ -e refused ]; then read refused < refused; fi
if [ -e killed ]; then read killed < killed; fi
if [ "$n" = "$killed" ]; then kill -KILL $PPID; exit 1; fi
if [ "$n" = "$refused" ]; then echo 'sbatch: error: no more jobs' >&2; exit 1; fi
echo $n > jobs; while [ -e slow ]; do :; done
for word; do case $word in --job-name=*) echo "$n|N/A|RUNNING|None|n1|\${word#--job-name=}" >> queue;; esac; done
echo $n`,
    squeue: `${silent}; while read -r line; do echo "$line"; done < queue`,
    scancel: `${silent}; : > queue`,
  };
  ws.write({ jobs: '0\n', queue: '' });
  for (const [name, script] of Object.entries(commands)) {
    ws.write({ [name]: `#!/bin/sh\n${script}\n` });
    chmodSync(join(ws.root, name), 0o755);
  }
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
  [['submit', '--engine', 'slurm', '--sbatch=--arra=7'], '--sbatch cannot take "--arra=7"'],
  [['submit', '--engine', 'slurm', '--sbatch=--dep=afterok:1'], '--sbatch cannot take "--dep=afterok:1"'],
  [['submit', '--engine', 'slurm', '--sbatch=-Qd afterok:1'], '--sbatch cannot take "-Qd"'],
  [['submit', '--engine', 'slurm', '--sbatch=-Mother'], '--sbatch cannot take "-Mother"'],
  [['submit', '--engine', 'slurm', '--sbatch=--cluster=other'], '--sbatch cannot take "--cluster=other"'],
  [
    ['submit', '--engine', 'slurm', '--sbatch=--requeue other.sh'],
    '--sbatch cannot take "other.sh": sbatch would run it as the script.',
  ],
  [
    ['submit', '--engine', 'slurm', '--sbatch=--gres gpu:1 -p main --deadline=1 --wait-all-nodes=1 --nice'],
    'There is no sbatch on the PATH',
  ],
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

test('the last 20 submissions are kept', async () => {
  using ws = lab();
  const head = { engine: 'local', experiments: [], choices: {}, resources: { cpus: 1, extra: [] } } as const;
  for (let i = 0; i < 21; i++) await createSubmission(ws.root, { ...head, store: '', conditions: [] });
  expect(cli(ws, 'submit', '--engine', 'local', '--treatment', 'warm', 'maker').out).toContain(
    'Submission 0022',
  );
  expect(submissionIds(ws.root)).toEqual(Array.from({ length: 20 }, (_, i) => `${i + 3}`.padStart(4, '0')));
  expect(cli(ws, 'collect', '--wait').code).toBe(0);
});

test('a place that cannot be written to is told in one line', () => {
  using ws = lab();
  ws.write({ '.nx/experiments/submissions': 'a file' });
  const { code, out, err } = cli(ws, 'submit', '--engine', 'local');
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/^E[A-Z]+: .*\.nx\/experiments\/submissions.*\n$/);
});

test('an sbatch that may not be executed is an error that says what to do', () => {
  using ws = lab();
  ws.write({ sbatch: '' });
  expect(cli(ws, 'submit', '--engine', 'slurm')).toEqual({
    code: 2,
    out: '',
    err: 'The sbatch on the PATH may not be executed: make it executable, or take its folder off the PATH.\n',
  });
});

describe('a submission to Slurm', () => {
  const submit = ['submit', '--engine', 'slurm', 'maker', '--shards', '1'];

  test('is gone when a job is refused, and the reason is told', () => {
    using ws = lab();
    slurm(ws);
    ws.write({ refused: '2\n' });
    const err = 'sbatch refused nx-experiments-0001-maker.warm: no more jobs\n';
    expect(cli(ws, ...submit)).toEqual({ code: 2, out: '', err });
    expect(ws.read('queue')).toBe('');
    expect(readdirSync(join(ws.root, SUBMISSION, '..'))).toEqual(['.gitignore']);
  });

  test.each([
    ['at Ctrl-C', 'SIGINT'],
    ['when the terminal is closed', 'SIGHUP'],
  ] as const)('is gone %s', async (_, stop) => {
    using ws = lab();
    slurm(ws);
    ws.write({ slow: '' });
    const submitting = begin(ws, ...submit);
    await until(() => ws.read('jobs') === '1\n');
    submitting.child.kill(stop);
    // The signal is there before sbatch answers.
    await sleep(200);
    rmSync(join(ws.root, 'slow'));
    expect(await submitting.ended).toBe(130);
    expect(submitting.told).toEqual({ out: '', err: 'Stopped. What was submitted is taken back.\n' });
    expect(ws.read('queue')).toBe('');
    expect(readdirSync(join(ws.root, SUBMISSION, '..'))).toEqual(['.gitignore']);
  });

  test('that was killed between two jobs of a condition is no reason to wait for it', () => {
    using ws = lab();
    slurm(ws);
    ws.write({ killed: '2\n' });
    const inTwo = [...submit, '--shards', '2'];
    expect(cli(ws, ...inTwo).code).toBe(null);
    rmSync(join(ws.root, 'killed'));
    const array = ws.read('queue');
    ws.write({ queue: array.replace('N/A', '1') + array.replace('N/A', '2') });
    expect(cli(ws, 'status').out).toBe(`Submission 0001 to slurm: 0 of 2 conditions done, 1 running, 1 skipped
  maker/baseline  0 of 2 elements done, 2 running, putting together was not handed over (n1)
  maker/warm      was not handed over
`);
    // Of the array nobody puts the parts together: what reads it would find nothing, or old results.
    expect(cli(ws, ...inTwo)).toEqual({
      code: 2,
      out: '',
      err: 'Submission 0001 was stopped before it had handed over the job that puts maker/baseline together. First: nx-experiments cancel 0001, or wait until its jobs have ended.\n',
    });
    expect(cli(ws, 'cancel').out).toMatch(/^Cancelled 1 job of submission 0001/);
    expect(cli(ws, 'collect').out).toContain(
      'maker/warm: was not handed over: the submit was stopped before it came to this\n',
    );
    expect(cli(ws, ...inTwo)).toMatchObject({ code: 0, out: expect.stringContaining('maker/baseline') });
  });

  test.each([
    ['FAILED', 'PENDING', 'element 1: failed'],
    ['RUNNING', 'CANCELLED', 'job 2: cancelled'],
  ])('of which an element is %s and the last job %s is nothing to wait for', (first, last, told) => {
    using ws = lab();
    slurm(ws);
    const inTwo = [...submit, '--shards', '2'];
    cli(ws, ...inTwo);
    const name = 'nx-experiments-0001-maker.baseline';
    const states = [`1|1|${first}|None|n1`, '1|2|RUNNING|None|n2', `2|N/A|${last}|None|`];
    ws.write({ queue: states.map((state) => `${state}|${name}\n`).join('') });
    expect(cli(ws, ...inTwo)).toEqual({
      code: 2,
      out: '',
      err: `Submission 0001 does not complete maker/baseline any more (${told}), and what it has begun still runs. First: nx-experiments cancel 0001, or wait until its jobs have ended.\n`,
    });
    ws.write({ queue: '' });
    expect(cli(ws, ...inTwo).out).toContain('maker/baseline  2 replicates in 2 elements');
  });

  test('is kept when what was submitted cannot be taken back', () => {
    using ws = lab();
    slurm(ws);
    ws.write({ refused: '2\n', silent: '' });
    const { code, err } = cli(ws, ...submit);
    expect(code).toBe(2);
    expect(err).toMatch(/^sbatch refused nx-experiments-0001-maker\.warm: no more jobs\n/);
    expect(err).toMatch(
      /^What was submitted could not be taken back \(squeue failed: .*timed out\)\. Jobs may still be there\. When the engine answers again: nx-experiments cancel 0001$/m,
    );
    rmSync(join(ws.root, 'silent'));
    expect(cli(ws, 'cancel').out).toMatch(/^Cancelled 1 job of submission 0001/);
    expect(ws.read('queue')).toBe('');
  });

  test('is not told to be missing while Slurm does not answer', async () => {
    using ws = lab();
    slurm(ws);
    expect(cli(ws, ...submit)).toMatchObject({ code: 0 });
    ws.write({ silent: '' });
    const { code, out, err } = cli(ws, 'collect');
    expect({ code, out }).toEqual({
      code: 1,
      out: 'Submission 0001: slurm does not answer. As far as is known: 0 of 2 conditions done, 2 unknown.\nSee nx-experiments status 0001 when it answers again, or wait with nx-experiments collect 0001 --wait.\n',
    });
    expect(err).toMatch(/^squeue failed: .*timed out\n$/);
    expect(JSON.parse(cli(ws, 'collect', '--json').out)).toMatchObject({ status: 'unknown', problems: [] });
    renameSync(join(ws.root, 'squeue'), join(ws.root, 'elsewhere'));
    // Waiting would not bring it.
    expect(cli(ws, 'collect', '--wait')).toMatchObject({
      code: 1,
      out: expect.stringContaining('slurm does not answer.'),
      err: expect.stringContaining('There is no squeue on the PATH'),
    });
    renameSync(join(ws.root, 'elsewhere'), join(ws.root, 'squeue'));
    const waiting = begin(ws, 'collect', '--wait');
    await until(() => waiting.told.err.includes('timed out'));
    rmSync(join(ws.root, 'silent'));
    await until(() => waiting.told.err.includes('0 of 2 conditions done, 2 running'));
    ws.write({ queue: '' });
    expect(await waiting.ended).toBe(1);
    expect(waiting.told.err.match(/timed out/g)).toHaveLength(1);
    expect(waiting.told.out).toContain('maker/warm: failed, 2 of 2 replicates are missing');
    expect(waiting.told.out).toContain('mended: nx-experiments submit --engine slurm --shards 1 maker\n');
  });

  test('and one to this machine do not run the same', async () => {
    using ws = lab();
    slurm(ws);
    cli(ws, ...submit);
    const local = ['submit', '--engine', 'local', 'maker'];
    expect(cli(ws, ...local)).toEqual({
      code: 2,
      out: '',
      err: 'Submission 0001 still runs maker/baseline on the engine slurm, for which jobs of the engine local cannot wait. First: nx-experiments cancel 0001, or wait until it has ended.\n',
    });
    ws.write({ silent: '' });
    expect(cli(ws, ...local).err).toMatch(
      /timed out\nSubmission 0001 to slurm may still run what is wanted here\. First: nx-experiments cancel 0001, where that engine answers\./,
    );
    rmSync(join(ws.root, 'silent'));
    cli(ws, 'cancel');
    ws.write({ wait: '' });
    expect(cli(ws, ...local).code).toBe(0);
    expect(cli(ws, ...submit).err).toContain(
      'Submission 0002 still runs maker/baseline on the engine local,',
    );
    rmSync(join(ws.root, 'wait'));
    expect(cli(ws, 'collect', '--wait')).toMatchObject({ code: 0 });
  });
});

describe('a submission to this machine', () => {
  test('leaves half a folder of another one alone', () => {
    using ws = lab();
    mkdirSync(join(ws.root, SUBMISSION, 'logs'), { recursive: true });
    expect(cli(ws, 'status').err).toContain('Nothing has been submitted from this workspace.');
    expect(cli(ws, 'submit', '--engine', 'local', 'maker').out).toContain('Submission 0002 to local');
    expect(cli(ws, 'collect', '--wait')).toMatchObject({ code: 0 });
  });

  test('is one of one submit at a time', async () => {
    using ws = lab();
    ws.write({ wait: '' });
    const submit = ['submit', '--engine', 'local', 'maker'];
    const all = [begin(ws, ...submit), begin(ws, ...submit), begin(ws, ...submit)];
    const codes = await Promise.all(all.map(({ ended }) => ended));
    const told = all.map(({ told: { out, err } }) => out + err);
    expect(told.filter((text) => text.startsWith('Submission 000'))).toHaveLength(1);
    for (const [i, text] of told.entries()) {
      expect(text).toMatch(
        /^Submission 0001|^Nothing to submit\. 2 conditions still with|^Another "submit" is at/,
      );
      expect(codes[i]).toBe(text.startsWith('Another') ? 2 : 0);
    }
    rmSync(join(ws.root, 'wait'));
    expect(cli(ws, 'collect', '--wait')).toMatchObject({ code: 0 });
  });

  test('waits for what it left to an earlier one, and tells what that came to', async () => {
    using ws = lab();
    ws.write({
      'experiments/other/config.yaml': config({ replicates: 1 }),
      'experiments/other/steps.mjs': 'export const step = (data) => data;',
      'experiments/other/datasources.mjs': 'export const source = () => 1;',
      wait: '',
    });
    const submit = ['submit', '--engine', 'local', '--shards', '1', '--treatment', 'baseline'];
    cli(ws, ...submit, 'maker');
    expect(cli(ws, ...submit, 'maker', 'other').out).toContain('1 condition still with submission 0001.');
    await until(() => cli(ws, 'status').out.includes('other/baseline  done'));
    expect(cli(ws, 'status').out).toBe(
      'Submission 0002 to local: 1 of 2 conditions done, 1 running\n  other/baseline  done\n  maker/baseline  in submission 0001: running\n',
    );
    expect(cli(ws, 'collect').out).toContain(
      'Submission 0002 has not ended: 1 of 2 conditions done, 1 running.',
    );
    const waiting = begin(ws, 'collect', '--wait');
    await until(() => waiting.told.err.includes('1 of 2 conditions done'));
    ws.write({ broken: '' });
    rmSync(join(ws.root, 'wait'));
    expect(await waiting.ended).toBe(1);
    expect(waiting.told.out).toContain(
      '  maker/baseline: in submission 0001: failed, 2 of 2 replicates are missing\n    job 1 failed: replicates 0-1: step step threw Error: broken\n      .nx/experiments/submissions/0001/logs/maker/baseline/whole.log\n',
    );
    rmSync(join(ws.root, 'broken'));
    expect(cli(ws, ...submit, 'maker', 'other').out).toContain('Submission 0003 to local: 1 job\n');
    expect(cli(ws, 'collect', '--wait')).toMatchObject({ code: 0 });
  });

  test('lists a few of the elements that failed, and no log that is not there', () => {
    using ws = lab();
    ws.write({ broken: '' });
    cli(ws, 'submit', '--engine', 'local', 'maker', '--replicates', '5', '--shards', '5');
    const { out } = cli(ws, 'collect', '--wait');
    expect(out).toContain('submit --engine local --shards 5 --replicates 5 maker\n');
    const status = cli(ws, 'status').out;
    expect(status.match(/element \d, job/g)).toHaveLength(6);
    expect(status.match(/^ {4}… and 2 more elements$/gm)).toHaveLength(2);
    expect(status.match(/\.log$/gm)).toHaveLength(6);
    rmSync(join(ws.root, SUBMISSION, 'logs'), { recursive: true });
    expect(cli(ws, 'status').out).not.toContain('.log');
  });

  test('prints tables in the order of the graph', () => {
    using ws = lab();
    const treatments = { warm: { x: 2 } };
    const hypotheses = [{ name: 'slow', verifier: 'slow', metrics: 'value' }];
    for (const [name, more] of Object.entries({ another: { hypotheses }, more: {} })) {
      ws.write({
        [`experiments/${name}/config.yaml`]: config({ replicates: 2, treatments, ...more }),
        [`experiments/${name}/steps.mjs`]: MODULE,
        [`experiments/${name}/datasources.mjs`]: MODULE,
      });
    }
    // It ends last.
    ws.write({
      'experiments/another/verifiers.mjs':
        'export const slow = () => new Promise((done) => setTimeout(() => done({ p_value: 1 }), 1000));',
    });
    cli(ws, 'submit', '--engine', 'local', '--shards', '1');
    const { out } = cli(ws, 'collect', '--wait');
    const tables = [...out.matchAll(/^(\w+): \d conditions?/gm)].map(([, name]) => name);
    expect(tables).toEqual(['another', 'maker', 'more', 'reader']);
  });

  test('says that the store may be too small', () => {
    using ws = lab();
    ws.write({
      'nx.json': { plugins: [{ plugin: 'nx-experiments', options: { storeSize: '1K' } }] },
      'experiments/maker/steps.mjs': MODULE.replace("'text'", "'x'.repeat(5000)"),
    });
    cli(ws, 'submit', '--engine', 'local', 'maker');
    const { code, out } = cli(ws, 'collect', '--wait');
    expect(code).toBe(1);
    expect(out).toMatch(
      /maker\/baseline: done, but 2 of 2 replicates are missing\. The run store \/.* may be too small for them: set "storeSize" in nx\.json above the size of all artifacts\n/,
    );
  });

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

  test('says how long its replicates took, though the last job of a condition runs none', () => {
    using ws = lab();
    cli(ws, 'submit', '--engine', 'local', 'maker', '--shards', '2');
    expect(cli(ws, 'collect', '--wait').code).toBe(0);
    expect(cli(ws, 'plan', 'maker', '--replicates', '4').out).toMatch(
      /maker\/baseline +4 replicates, 2 reused, 2 to run \(new replicates 2-3\), about \d/,
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
