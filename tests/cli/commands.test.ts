import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../plugin/cli/commands.ts';
import { config, Lab } from '../support/engine.ts';

const BIN = join(import.meta.dirname, '../../plugin/bin/nx-experiments.js');

const MODULE = `
export const source = (ctx) => ctx.random();
export const step = async (data, ctx) => {
  if (ctx.params.broken) throw new Error('broken');
  ctx.metrics.add('value', ctx.params.x ?? 1);
  if (ctx.experiment === 'maker') await ctx.artifact('out').write('text');
  return data;
};
`;

function lab(): Lab {
  return new Lab({
    'nx.json': { plugins: ['nx-experiments'] },
    'experiments/maker/config.yaml': config({
      outputs: { out: {} },
      treatments: { warm: { x: 2 }, cold: { x: 0.5 }, bad: { broken: true } },
    }),
    'experiments/maker/steps.mjs': MODULE,
    'experiments/maker/datasources.mjs': MODULE,
    'experiments/reader/config.yaml': {
      datasource: { text: 'maker#out' },
      steps: ['step'],
      description: 'Reads \u001b[31mwhat the maker made.',
    },
    'experiments/reader/steps.mjs': MODULE,
  });
}

interface Told {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function cli({ root }: Lab, ...args: string[]): Told {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

describe('help', () => {
  test('fits a screen of 80 columns and 24 lines', () => {
    using ws = lab();
    const { code, out } = cli(ws, '--help');
    expect(code).toBe(0);
    expect(out.split('\n').length).toBeLessThanOrEqual(24);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test.each(Object.keys(COMMANDS))('%s explains its options', (command) => {
    using ws = lab();
    const { code, out } = cli(ws, command, '--help');
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^Usage: nx-experiments ${command} `));
    const { options } = COMMANDS[command as keyof typeof COMMANDS];
    for (const option of Object.keys(options)) expect(out).toContain(`--${option}`);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('is a command too', () => {
    using ws = lab();
    expect(cli(ws, 'help')).toEqual(cli(ws, '--help'));
    expect(cli(ws, 'help', 'plan')).toEqual(cli(ws, 'plan', '--help'));
  });

  test('without a command it is shown, as an error', () => {
    using ws = lab();
    expect(cli(ws)).toMatchObject({ code: 2, out: expect.stringContaining('Commands:') });
  });
});

test.each([
  [['grap'], 'Unknown command "grap". Did you mean "graph"?'],
  [['graph', '--tretment', 'x'], 'Unknown option "--tretment". Did you mean "--treatment"?'],
  [['matrix', '--jobs', '-1'], '--jobs must be a whole number from 1 to 256, and is "-1".'],
  [['run', 'maker', '--replicates', '-2'], '"--replicates=-2" must be a whole number'],
  [['matrix', '--jobs', '--json'], '"--jobs" needs a value.\nSee nx-experiments matrix --help.'],
  [['matrix', '--jobs'], '"--jobs" needs a value.\nSee nx-experiments matrix --help.'],
  [['matrix', '--json=x'], '"--json" takes no value.\nSee nx-experiments matrix --help.'],
  [['matrix', '--help=x'], '"--help" takes no value.\nSee nx-experiments matrix --help.'],
  [['graph', '--format', 'sgv'], 'Unknown format "sgv". Did you mean "svg"?'],
  [['graph', '--output', 'a.xyz'], '"a.xyz" does not say what to write'],
  [['show'], '"show" takes the name of one experiment.'],
  [['show', 'make'], 'There is no experiment "make". Did you mean "maker"?'],
  [['diff-treatments', 'warm'], '"diff-treatments" takes two conditions'],
  [['diff-treatments', 'warm', 'hot'], 'No experiment has a condition "hot".'],
  [['run', 'maker', '--replicates', 'x'], '"--replicates=x" must be a whole number'],
  [['run', 'makr'], 'There is no experiment and no folder "makr". Did you mean "maker"?'],
  [['completions', 'csh'], '"completions" takes a shell: bash, zsh or fish.'],
  [['store', 'stat'], '"store" takes one of: stats, prune, verify.'],
])('%j is wrong, and says how', (args, message) => {
  using ws = lab();
  const { code, out, err } = cli(ws, ...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(message);
});

test('show tells the config in force, every condition and the last results', async () => {
  using ws = lab();
  cli(ws, 'run', 'reader', '--treatment', 'warm');
  const { code, out } = cli(ws, 'show', 'reader');
  expect(code).toBe(0);
  await expect(out).toMatchFileSnapshot('../golden/cli/show-reader.txt');
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  const data = JSON.parse(cli(ws, 'show', 'maker', '--json').out);
  expect(data.conditions.map((c: { condition: string }) => c.condition)).toEqual([
    'baseline',
    'warm',
    'cold',
    'bad',
  ]);
  expect(data.results).toHaveLength(2);
});

test('show judges the hypotheses, and marks results that are not those of the config as it is', () => {
  using ws = lab();
  const judged = (warm: object): void =>
    ws.write({
      'experiments/judged/config.yaml': config({
        replicates: 5,
        treatments: { warm, cold: { x: 0.5 } },
        hypotheses: [{ name: 'warmth counts', metrics: 'value', better: 'higher' }],
      }),
      'experiments/judged/steps.mjs': MODULE.replace('ctx.params.x ?? 1', '(ctx.params.x ?? 1) * (1 + data)'),
      'experiments/judged/datasources.mjs': MODULE,
    });
  judged({ x: 2 });
  expect(cli(ws, 'run', 'judged').code).toBe(0);
  const { out } = cli(ws, 'show', 'judged');
  expect(out).not.toContain('STALE');
  expect(out).not.toContain('no hypothesis decides');
  expect(out).toContain('warmth counts (paired_t_test');

  judged({ x: 3 });
  const edited = cli(ws, 'show', 'judged').out;
  expect(edited).toContain(
    '  STALE: not the results of the code and configuration as they are: warm (x 2 -> 3). Run',
  );
  expect(Math.max(...edited.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  const { results } = JSON.parse(cli(ws, 'show', 'judged', '--json').out);
  expect(results.map((one: { condition: string; stale: boolean }) => [one.condition, one.stale])).toEqual([
    ['baseline', false],
    ['warm', true],
    ['cold', false],
  ]);

  // Results that tell of a failure are the last ones.
  judged({ broken: true });
  expect(cli(ws, 'run', 'judged').code).toBe(1);
  const failed = cli(ws, 'show', 'judged').out;
  expect(failed).not.toContain('STALE');
  expect(failed).toContain('warm: 5 of 5 replicates failed');
  judged({ broken: true, x: 4 });
  expect(cli(ws, 'show', 'judged').out).toContain('STALE');
});

test('diff-treatments tells parameters and what is read', async () => {
  using ws = lab();
  const { out } = cli(ws, 'diff-treatments', 'warm', 'cold');
  await expect(out).toMatchFileSnapshot('../golden/cli/diff-warm-cold.txt');
  expect(cli(ws, 'diff-treatments', 'warm', 'warm').out).toBe('Nothing differs between warm and warm.\n');
  expect(
    JSON.parse(cli(ws, 'diff-treatments', 'baseline', 'warm', 'reader', '--json').out).differences,
  ).toEqual([
    { experiment: 'maker', kind: 'parameter', name: 'x', b: '2' },
    {
      experiment: 'reader',
      kind: 'datasource',
      name: 'text',
      a: 'maker#out at baseline',
      b: 'maker#out at warm',
    },
  ]);
});

describe('graph', () => {
  test('prints Mermaid, or what is asked for', () => {
    using ws = lab();
    expect(cli(ws, 'graph', 'reader').out).toContain('graph LR');
    expect(cli(ws, 'graph', '--format', 'dot').out).toContain('digraph');
    expect(cli(ws, 'graph', '--format', 'svg', '--treatment', 'warm').out).toContain('under warm');
    expect(JSON.parse(cli(ws, 'graph', '--json').out).nodes).toHaveLength(2);
  });
  test('writes a file', () => {
    using ws = lab();
    expect(cli(ws, 'graph', '--output', 'pictures/all.png')).toMatchObject({
      code: 0,
      out: 'pictures/all.png\n',
    });
    expect(existsSync(join(ws.root, 'pictures/all.png'))).toBe(true);
  });
});

test('show names what is set of the execution, in words', () => {
  using ws = lab();
  ws.write({
    'experiments/maker/config.yaml': config({
      outputs: { out: {} },
      execution: { workers: 2, timeout: '90s', retries: 0 },
    }),
  });
  expect(cli(ws, 'show', 'maker').out).toMatch(/^ {2}execution {3}workers 2, timeout 1 min 30 s$/m);
});

describe('run', () => {
  test('runs names and what they read; a failure is exit code 1', () => {
    using ws = lab();
    const good = cli(ws, 'run', 'reader', '--treatment', 'warm,cold');
    expect(good).toMatchObject({ code: 0, err: '' });
    expect(good.out).toContain('reader/warm: 1 replicate done');
    expect(good.out).toContain('reader: Reads');
    const bad = cli(ws, 'run', 'reader');
    expect(bad.code).toBe(1);
    expect(bad.out).toContain('maker/bad, replicate 0: step step threw Error: broken');
    expect(bad.out).toContain('reader/bad: skipped, because maker/bad did not succeed');
  });
  test('says which gates are not passed', () => {
    using ws = lab();
    ws.write({
      'experiments/gated/config.yaml': config({
        treatments: { warm: { x: 2 }, cold: { x: 0.5 } },
        hypotheses: [{ name: 'up', metrics: 'value', require: 'not-worse', margin: 2 }],
      }),
      'experiments/gated/steps.mjs': MODULE,
      'experiments/gated/datasources.mjs': MODULE,
    });
    const { code, out } = cli(ws, 'run', 'gated');
    expect(code).toBe(1);
    expect(out.match(/^gated: hypothesis "up" requires .*$/gm)).toHaveLength(2);
  });
  test('what failed reaches no terminal that would obey it', () => {
    using ws = lab();
    const steps = `export const source = () => 0;
      export const step = (data, ctx) => {
        if (ctx.params.broken) throw new Error('no \\u001b[31mred');
        ctx.metrics.add('\\u001b]0;title\\u0007', ctx.params.x ?? 1);
        return data;
      };`;
    for (const [name, more] of Object.entries({
      dead: { treatments: { baseline: { broken: true }, warm: { x: 2 } } },
      gated: {
        treatments: { warm: { x: 2 } },
        hypotheses: [{ metrics: '\u001b]0;title\u0007', require: 'significant' }],
      },
    }))
      ws.write({
        [`experiments/${name}/config.yaml`]: config(more),
        [`experiments/${name}/steps.mjs`]: steps,
        [`experiments/${name}/datasources.mjs`]: steps,
      });
    const { code, out } = cli(ws, 'run', 'dead', 'gated');
    expect(code).toBe(1);
    expect(out).toContain('dead: not compared: step step threw Error: no \ufffd[31mred');
    expect(out).toMatch(/^gated: hypothesis .* \ufffd\]0;title\ufffd /m);
    expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
  test('runs a folder anywhere, and gives data', () => {
    using ws = lab();
    const { code, out, err } = cli(ws, 'run', './experiments/maker', '--treatment', 'warm', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out).maker.metrics.warm).toEqual([{ value: [2] }]);
    expect(err).toContain('maker/warm: 1 replicate');
  });
});

describe('completions', () => {
  test.each([
    [['gr'], ['graph']],
    [
      ['show', ''],
      ['maker', 'reader'],
    ],
    [['graph', '--treatment', 'w'], ['warm']],
    [['graph', '--format', 'm'], ['mermaid']],
    [['run', '--re'], ['--replicates']],
    [['store', 'p'], ['prune']],
    [['nothing', ''], []],
  ])('%j', (words, expected) => {
    using ws = lab();
    expect(
      cli(ws, '__complete', '--', ...words)
        .out.split('\n')
        .filter(Boolean),
    ).toEqual(expected);
  });

  test('bash completes with the script', () => {
    using ws = lab();
    const script = `
nx-experiments() { "${process.execPath}" "${BIN}" "$@"; }
source <(nx-experiments completions bash)
COMP_WORDS=(nx-experiments show re); COMP_CWORD=2
_nx_experiments
echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: ws.root, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'reader\n', stderr: '' });
  });
});

test('a reader that goes early is no problem', () => {
  using ws = lab();
  const { stdout, stderr } = spawnSync(
    'bash',
    ['-c', `set -o pipefail; "${process.execPath}" "${BIN}" show maker --json | head -1`],
    { cwd: ws.root, encoding: 'utf8' },
  );
  expect({ stdout, stderr }).toEqual({ stdout: '{\n', stderr: '' });
});
