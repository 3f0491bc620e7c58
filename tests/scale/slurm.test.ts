import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { config, Lab } from '../support/engine.ts';
import { SlurmCluster, withoutSlurm } from '../support/slurm.ts';

const BIN = join(import.meta.dirname, '../../plugin/bin/nx-experiments.js');

/** Paths are hostile: this one is more than Slurm, or a shell, would leave alone. */
const PLACE = `it's 50%j "$HOME"\n\`&; x`;

/** Each call leaves a line; a file stops one replicate, and another lets all of them wait. Neither is anyone's input. */
const MODULE = `
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
const beside = (name) => existsSync(process.env.BESIDE + '/' + name);
export const source = (ctx) => ctx.random();
export const step = async (data, ctx) => {
  const id = ctx.experiment + '/' + ctx.condition + ' ' + ctx.replicate;
  appendFileSync(process.env.BESIDE + '/executions', id + '\\n');
  while (beside('wait ' + ctx.condition)) await sleep(50);
  if (beside('broken') && id === 'maker/warm 3') throw new Error('broken');
  ctx.metrics.add('value', Number(data.text ?? data) * (ctx.params.x ?? 1));
  if (ctx.experiment === 'maker') await ctx.artifact('out').write(String(data));
  return data;
};
`;

const FILES = {
  'nx.json': { plugins: ['nx-experiments'] },
  'experiments/maker/config.yaml': config({
    datasource: { data: 'source' },
    replicates: 4,
    outputs: { out: {} },
    treatments: { warm: { x: 2 } },
  }),
  'experiments/maker/steps.mjs': MODULE,
  'experiments/maker/datasources.mjs': MODULE,
  'experiments/reader/config.yaml': {
    datasource: { text: 'maker#out' },
    steps: ['step'],
    hypotheses: [{ name: 'higher', verifier: 'welch_t_test', metrics: 'value' }],
  },
  'experiments/reader/steps.mjs': MODULE,
};

/** A workspace on the file system that the nodes of the cluster share with us. */
class ClusterLab extends Lab {
  readonly workspace = join(this.root, PLACE);

  constructor(private readonly env: NodeJS.ProcessEnv) {
    super();
    mkdirSync(this.workspace);
    for (const [path, content] of Object.entries(FILES)) this.write({ [`${PLACE}/${path}`]: content });
  }

  async cli(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const env = { ...this.env, BESIDE: this.root, NX_EXPERIMENTS_STORE: '', NO_COLOR: '1' };
    const child = spawn(process.execPath, [BIN, ...args], { cwd: this.workspace, env, stdio: 'pipe' });
    const told = { out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      told.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      told.err += chunk;
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, ...told };
  }

  submit(...args: string[]) {
    return this.cli('submit', '--engine', 'slurm', 'reader', '--shards', '2', ...args);
  }

  /** The state of each condition of the last submission. */
  async states(): Promise<Record<string, string>> {
    const { conditions } = JSON.parse((await this.cli('status', '--json')).out);
    return Object.fromEntries(
      conditions.map((c: Record<string, string>) => [`${c.experiment}/${c.condition}`, c.state]),
    );
  }

  raise(flag: string): void {
    writeFileSync(join(this.root, flag), '');
  }

  lower(flag: string): void {
    rmSync(join(this.root, flag));
  }

  /** Replicates that were executed since the last call, by condition. */
  executed(): Record<string, number> {
    const path = join(this.root, 'executions');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
    rmSync(path, { force: true });
    const counts: Record<string, number> = {};
    for (const line of lines) {
      const id = line.split(' ')[0] ?? '';
      counts[id] = (counts[id] ?? 0) + 1;
    }
    return counts;
  }
}

const ALL = { 'maker/baseline': 4, 'maker/warm': 4, 'reader/baseline': 4, 'reader/warm': 4 };

describe.skipIf(withoutSlurm)(`Slurm${withoutSlurm ?? ''}`, () => {
  let cluster: SlurmCluster;
  let expected: Record<string, string>;
  beforeAll(async () => {
    cluster = await SlurmCluster.start();
    using here = new ClusterLab(cluster.env);
    expect(await here.cli('run', 'reader')).toMatchObject({ code: 0 });
    expected = here.snapshot();
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test('gives the bytes of a run on this machine, and then submits nothing', async () => {
    using lab = new ClusterLab(cluster.env);
    const submitted = await lab.submit(
      '--shards',
      '4',
      '--time',
      '10',
      '--mem',
      '100M',
      '--sbatch=--comment="a b" --nice',
    );
    expect(submitted).toMatchObject({ code: 0, err: '' });
    expect(submitted.out).toContain(
      'Submission 0001 to slurm: 8 jobs\n  maker/baseline   4 replicates in 4 elements: job ',
    );
    const collected = await lab.cli('collect', '--wait');
    expect(collected.code).toBe(0);
    expect(collected.out).toContain('reader: 2 conditions');
    expect(lab.snapshot()).toEqual(expected);
    const results = readdirSync(join(lab.workspace, 'experiments/maker/results'));
    // Nothing of the elements is left.
    expect(results.filter((name) => name.startsWith('.'))).toEqual([]);
    expect(lab.executed()).toEqual(ALL);
    expect((await lab.cli('status')).out).toContain('4 of 4 conditions done');
    expect(await lab.submit()).toEqual({
      code: 0,
      out: 'Nothing to submit. 4 conditions have their results.\n',
      err: '',
    });
    expect(lab.executed()).toEqual({});
  });

  test('runs again what failed, and nothing else', async () => {
    using lab = new ClusterLab(cluster.env);
    lab.raise('broken');
    await lab.submit();
    const failed = await lab.cli('collect', '--wait');
    expect(failed.code).toBe(1);
    expect(failed.out).toContain(
      'Not there: 2 of 4 conditions.\n  maker/warm: failed, 1 of 4 replicates are missing\n    element 2, job ',
    );
    expect(failed.out).toContain('replicate 3: step step threw Error: broken\n');
    expect(failed.out).toMatch(
      /\n {6}\.nx\/experiments\/submissions\/0001\/logs\/maker\/warm\/2\.log\n( {6}\| .*\n)+/,
    );
    expect(failed.out).toContain('  reader/warm: skipped, because what it reads did not succeed\n');
    expect(failed.out).not.toContain('vs baseline');
    expect(lab.executed()).toEqual({ 'maker/baseline': 4, 'maker/warm': 4, 'reader/baseline': 4 });
    lab.lower('broken');
    expect((await lab.submit()).out).toContain('Submission 0002 to slurm: 3 jobs');
    expect(await lab.cli('collect', '--wait')).toMatchObject({ code: 0 });
    expect(lab.executed()).toEqual({ 'maker/warm': 1, 'reader/warm': 4 });
    expect(lab.snapshot()).toEqual(expected);
  });

  test('is cancelled, and submitted while it still runs, without running anything twice', async () => {
    using lab = new ClusterLab(cluster.env);
    lab.raise('wait warm');
    await lab.submit();
    await cluster.until('warm is all that is left', async () => {
      const { 'reader/baseline': baseline, 'maker/warm': warm } = await lab.states();
      return baseline === 'succeeded' && warm === 'running';
    });
    expect((await lab.cli('collect')).out).toContain(
      'has not ended: 2 of 4 conditions done, 1 running, 1 waiting.',
    );
    expect((await lab.submit()).out).toBe(
      'Nothing to submit. 2 conditions have their results. 2 conditions still with submission 0001.\n',
    );
    expect((await lab.cli('cancel')).out).toMatch(/^Cancelled 4 jobs of submission 0001\./);
    await cluster.until('all is cancelled', async () => (await lab.states())['maker/warm'] === 'cancelled');
    const collected = await lab.cli('collect', '--wait');
    expect(collected.out).toContain('maker/warm: cancelled, 4 of 4 replicates are missing');
    expect((await lab.cli('cancel')).out).toBe('Submission 0001 has ended: there is nothing to cancel.\n');
    lab.lower('wait warm');
    lab.executed();
    await lab.submit();
    expect(await lab.cli('collect', '--wait')).toMatchObject({ code: 0 });
    expect(lab.executed()).toEqual({ 'maker/warm': 4, 'reader/warm': 4 });
    expect(lab.snapshot()).toEqual(expected);
  });

  test('means the same whatever variables of its commands a person has set', async () => {
    const { env } = cluster;
    using lab = new ClusterLab({
      ...env,
      SQUEUE_PARTITION: 'none',
      SQUEUE_USERS: 'nobody',
      SQUEUE_NAMES: 'none',
      SCANCEL_INTERACTIVE: '1',
      SCANCEL_STATE: 'PENDING',
      SBATCH_ARRAY_INX: '1-3',
      SBATCH_CLUSTERS: 'other',
      SBATCH_WAIT: '1',
      SBATCH_ERROR: '/dev/null',
      SBATCH_PARTITION: 'none',
    });
    expect((await lab.submit()).err).toContain('invalid partition specified: none');
    lab.raise('wait baseline');
    lab.raise('wait warm');
    expect((await lab.submit('--partition', 'main')).out).toContain('Submission 0001 to slurm: 8 jobs');
    await cluster.until('it runs', async () => (await lab.states())['maker/warm'] === 'running');
    expect((await lab.cli('cancel')).out).toMatch(/^Cancelled 8 jobs of submission 0001\./);
    await cluster.until('all is cancelled', async () =>
      Object.values(await lab.states()).every((state) => state === 'cancelled'),
    );
  });

  test('never shows what has changed since as a result', async () => {
    using lab = new ClusterLab(cluster.env);
    lab.raise('wait warm');
    await lab.submit();
    await cluster.until(
      'the baseline is there',
      async () => (await lab.states())['reader/baseline'] === 'succeeded',
    );
    lab.write({ [`${PLACE}/experiments/reader/steps.mjs`]: `${MODULE}// changed\n` });
    expect(await lab.submit()).toEqual({
      code: 2,
      out: '',
      err: 'Submission 0001 still runs reader/warm as it was before it changed. First: nx-experiments cancel 0001\n',
    });
    lab.lower('wait warm');
    const { code, out } = await lab.cli('collect', '--wait');
    expect(code).toBe(1);
    expect(out).toContain('maker: 2 conditions');
    expect(out).not.toContain('reader: 2 conditions');
    expect(out).toContain('reader/baseline: is no longer what was submitted (steps.mjs changed)');
    expect(out).toContain(
      'reader/warm is no longer what was submitted (steps.mjs changed). Submit it again.',
    );
  });

  test('takes back what was accepted when a later job is refused', async () => {
    using lab = new ClusterLab(cluster.env);
    lab.raise('wait baseline');
    lab.raise('wait warm');
    // More elements than this Slurm allows in an array.
    lab.write({
      [`${PLACE}/experiments/reader/config.yaml`]: {
        ...FILES['experiments/reader/config.yaml'],
        replicates: 20,
      },
    });
    expect(await lab.submit('--shards', '20')).toEqual({
      code: 2,
      out: '',
      err: 'sbatch refused nx-experiments-0001-reader.baseline: Batch job submission failed: Invalid job array specification. Its last element is 20, and this cluster takes none from its MaxArraySize on (scontrol show config): give --shards a smaller number.\n',
    });
    const left = '--states=PENDING,RUNNING,SUSPENDED,COMPLETING';
    await cluster.until(
      'nothing is left',
      async () => (await cluster.command('squeue', '--noheader', left)) === '',
    );
    expect((await lab.cli('status')).err).toContain('Nothing has been submitted from this workspace.');
    // What ended meanwhile has brought nothing back.
    expect(readdirSync(join(lab.workspace, '.nx/experiments/submissions'))).toEqual(['.gitignore']);
  });

  test('outlives a node that vanishes', async () => {
    using lab = new ClusterLab(cluster.env);
    lab.raise('wait warm');
    await lab.submit('--sbatch=--no-requeue');
    await cluster.until('warm runs', async () => (await lab.states())['maker/warm'] === 'running');
    const { conditions } = JSON.parse((await lab.cli('status', '--json')).out);
    const warm = conditions.find(
      (c: Record<string, string>) => c.experiment === 'maker' && c.condition === 'warm',
    );
    const { host } = warm.elements.find((element: Record<string, string>) => element.state === 'running');
    await cluster.cut(host);
    lab.lower('wait warm');
    await cluster.until('Slurm has noticed', async () => (await lab.states())['maker/warm'] === 'failed');
    const failed = await lab.cli('collect', '--wait');
    expect(failed.code).toBe(1);
    expect(failed.out).toMatch(new RegExp(`element \\d, job \\d+_\\d failed on ${host}: its node failed\n`));
    await cluster.power(host);
    await lab.submit();
    expect(await lab.cli('collect', '--wait')).toMatchObject({ code: 0 });
    expect(lab.snapshot()).toEqual(expected);
  });
});
