import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { config, Lab } from '../support/engine.ts';

const BIN = join(import.meta.dirname, '../../plugin/bin/nx-experiments.js');

const MODULE = `
import { scale } from 'scale';
export const source = (ctx) => ctx.random();
export const step = async (data, ctx) => {
  ctx.metrics.add('value', scale * (ctx.params.x ?? 1) + Number(data));
  if (ctx.experiment === 'maker') await ctx.artifact('out').write(String(ctx.params.x ?? 1));
  return data;
};
`;
const SUMMARY = 'experiments/maker/results/report/summary.json';

const maker = (x: number) => config({ replicates: 4, outputs: { out: {} }, treatments: { warm: { x } } });

/** A repository whose last commit has changed a treatment. Nothing has run. */
function repository(): Lab {
  const ws = new Lab({
    'nx.json': { plugins: ['nx-experiments'] },
    '.gitignore': 'results\n.nx\nnode_modules\n',
    'experiments/maker/config.yaml': maker(2),
    'experiments/maker/steps.mjs': MODULE,
    'experiments/maker/datasources.mjs': MODULE,
    'experiments/reader/config.yaml': {
      datasource: { text: 'maker#out' },
      steps: ['step'],
      hypotheses: [{ name: 'more', metrics: 'value', better: 'higher' }],
    },
    'experiments/reader/steps.mjs': MODULE.replace(
      'Number(data)',
      'Number(Buffer.from(data.text).toString())',
    ),
    'node_modules/scale/package.json': {
      name: 'scale',
      version: '1.0.0',
      type: 'module',
      exports: './index.js',
    },
    'node_modules/scale/index.js': 'export const scale = 1;',
  });
  git(ws, 'init', '--quiet', '--initial-branch=main');
  commit(ws);
  return ws;
}

function git({ root }: Lab, ...args: string[]): string {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b.c'];
  return execFileSync('git', [...identity, ...args], { cwd: root, encoding: 'utf8' });
}

function commit(ws: Lab): void {
  git(ws, 'add', '--all');
  git(ws, 'commit', '--quiet', '--message=x');
}

function cli({ root }: Lab, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

function change(ws: Lab): void {
  ws.write({ 'experiments/maker/config.yaml': maker(3) });
  commit(ws);
}

const temporary = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('nx-experiments-base-'));

describe('a git revision', () => {
  test('comes from the run store, with the keys of the checkout, and leaves nothing behind', () => {
    using ws = repository();
    expect(cli(ws, 'run').code).toBe(0);
    change(ws);
    cli(ws, 'run');
    const before = temporary();
    const { code, out, err } = cli(ws, 'diff', 'maker', '--base', 'HEAD~1', '--no-run');
    expect({ code, err }).toMatchObject({
      code: 0,
      err: expect.stringContaining('8 replicates from the run store, 0 to run'),
    });
    expect(out).toMatch(/value\s+baseline .* same\n\s+value\s+warm .* \+1 +1, 1 .* higher/);
    expect(out).toContain('warm, parameter x: 2 -> 3');
    expect(temporary().filter((name) => !before.includes(name))).toEqual([]);
    expect(git(ws, 'status', '--porcelain')).toBe('');
  });

  test('runs when the store is empty, but not with --no-run', () => {
    using ws = repository();
    change(ws);
    cli(ws, 'run');
    const refused = cli(ws, 'diff', 'maker', '--base', 'HEAD~1', '--no-run');
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('Not in the run store, and --no-run was given:\n  maker/warm: 4');
    const ran = cli(ws, 'diff', 'maker', '--base', 'HEAD~1', '--json');
    expect(ran.code).toBe(0);
    expect(ran.err).toContain('4 to run');
    expect(JSON.parse(ran.out).metrics.map((row: { reading: string }) => row.reading)).toEqual([
      'same',
      'higher',
    ]);
  });

  test('an upstream that changed is seen in what reads it; better and worse by the hypothesis', () => {
    using ws = repository();
    change(ws);
    cli(ws, 'run');
    expect(cli(ws, 'diff', 'reader', '--base', 'HEAD~1', '--fail-on', 'worse').out).toContain('better');
    ws.write({ 'experiments/maker/config.yaml': maker(1) });
    cli(ws, 'run');
    expect(cli(ws, 'diff', 'reader', '--fail-on', 'worse')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^reader against [0-9a-f]{8}, where it left main: 1 same, 1 worse\.\n/),
    });
  });

  test('results that are committed are read', () => {
    using ws = repository();
    cli(ws, 'run', 'maker');
    git(ws, 'add', '--force', SUMMARY);
    commit(ws);
    expect(cli(ws, 'diff', 'maker', '--base', 'HEAD').out).toMatch(
      /^maker against HEAD \([0-9a-f]{8}\), results as committed: nothing differs \(2 metrics by condition\)\.\n$/,
    );
  });

  test('a package of the workspace is that of the revision', () => {
    using ws = repository();
    rmSync(join(ws.root, 'node_modules'), { recursive: true });
    ws.write({
      'libs/scale/package.json': { name: 'scale', version: '1.0.0', type: 'module', exports: './index.js' },
      'libs/scale/index.js': 'export const scale = 1;',
      'node_modules/.keep': '',
    });
    execFileSync('ln', ['-s', '../libs/scale', 'node_modules/scale'], { cwd: ws.root });
    commit(ws);
    ws.write({ 'libs/scale/index.js': 'export const scale = 5;' });
    cli(ws, 'run', 'maker');
    const { metrics } = JSON.parse(cli(ws, 'diff', 'maker', '--base', 'HEAD', '--json').out);
    expect(metrics[0].difference).toBeCloseTo(4, 9);
  });

  test('says what is wrong', () => {
    using ws = repository();
    cli(ws, 'run', 'maker');
    for (const [args, message] of [
      [['maker', '--base', 'nowhere'], '"nowhere" is no file, no folder and no git revision'],
      [['maker', '--base=--output=x'], '"--output=x" is no file, no folder and no git revision'],
      [['makr'], 'There is no experiment "makr". Did you mean "maker"?'],
      [['reader'], '"reader" has no results. Run it first: npx nx-experiments run reader'],
      [['maker', '--format', 'tabel'], 'Unknown format "tabel". Did you mean "table"?'],
      [['maker', '--metric', 'valeu'], 'There is no metric "valeu" on either side. Did you mean "value"?'],
    ] as const) {
      expect(cli(ws, 'diff', ...args)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    }
    git(ws, 'mv', 'experiments/maker', 'experiments/other');
    ws.write({ 'experiments/reader/config.yaml': config({}) });
    cli(ws, 'run', 'other');
    expect(cli(ws, 'diff', 'other', '--base', 'HEAD')).toMatchObject({
      code: 2,
      err: expect.stringContaining('There is no experiment "other" at HEAD'),
    });
  });
});

describe('files and folders', () => {
  test('a summary.json, a report, results, an experiment, a checkout', () => {
    using ws = repository();
    using other = new Lab();
    cli(ws, 'run', 'maker');
    cpSync(ws.root, other.root, { recursive: true });
    change(ws);
    cli(ws, 'run', 'maker');
    for (const inside of [
      SUMMARY,
      join(SUMMARY, '..'),
      'experiments/maker/results',
      'experiments/maker',
      '.',
    ]) {
      const { code, out } = cli(ws, 'diff', 'maker', '--base', join(other.root, inside));
      // The headline may be broken between any words.
      expect({ inside, code, out: out.replace(/\s+/g, ' ') }).toMatchObject({
        code: 0,
        out: expect.stringContaining('1 same, 1 higher.'),
      });
    }
  });

  test('what is broken or empty is told', () => {
    using ws = repository();
    cli(ws, 'run', 'maker');
    ws.write({ 'broken/summary.json': '{"version": 2}', 'empty/x': '' });
    expect(cli(ws, 'diff', 'maker', '--base', 'broken')).toMatchObject({
      code: 2,
      err: `${join(ws.root, 'broken/summary.json')} cannot be compared: "conditions" is missing.\n`,
    });
    expect(cli(ws, 'diff', 'maker', '--base', 'empty').err).toContain('the folder "empty" has no results');
  });

  test('results that are older than the config are never shown as fresh', () => {
    using ws = repository();
    cli(ws, 'run', 'maker');
    change(ws);
    const { out } = cli(ws, 'diff', 'maker', '--base', SUMMARY);
    expect(out).toContain(
      'STALE: not the results of the code and configuration as they are: warm (x 2 -> 3)',
    );
  });

  test('the last results are not old because replicates have failed, until something changes', () => {
    using ws = repository();
    const failing = (limit: number): void =>
      ws.write({
        'experiments/maker/steps.mjs': MODULE.replace(
          "await ctx.artifact('out')",
          `if (ctx.condition === 'warm' && ctx.replicate >= ${limit}) throw new Error('too warm'); else await ctx.artifact('out')`,
        ),
      });
    failing(3);
    expect(cli(ws, 'run', 'maker').code).toBe(1);
    const { out } = cli(ws, 'diff', 'maker', '--base', SUMMARY);
    expect(out.replace(/\s+/g, ' ')).toContain('nothing differs');
    expect(out).not.toContain('STALE');
    failing(2);
    for (const command of [
      ['diff', 'maker', '--base', SUMMARY],
      ['show', 'maker'],
    ]) {
      const { out: edited } = cli(ws, ...command);
      expect(edited.replace(/\s+/g, ' ')).toContain('baseline (steps.mjs changed), warm (steps.mjs changed)');
    }
  });

  test('writes a file, whose extension gives the format', () => {
    using ws = repository();
    cli(ws, 'run', 'maker');
    expect(cli(ws, 'diff', 'maker', '--base', SUMMARY, '--output', 'diff.md').out).toBe('diff.md\n');
    expect(ws.read('diff.md')).toMatch(/^\*\*maker against the file /);
  });
});
