import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MACHINE } from '../../../plugin/build/io/writing/growing.js';
import { experiment, Lab, type Ran } from '../../support/engine.ts';

const RECORDS = 'export const step = (data: number, ctx: any) => { ctx.metrics.add("data", data); };\n';

const WRITES = "export const step = (data: number, ctx: any) => ctx.artifact('out').write({ data });\n";
const OUTPUTS = { outputs: { out: { file_name: 'out.json', writer: 'dump_json', loader: 'load_json' } } };

function reader(name: string, upstream: string, steps = RECORDS): Record<string, unknown> {
  return {
    [`${name}/config.yaml`]: { datasource: { up: `${upstream}#out` }, steps: ['step'], ...OUTPUTS },
    [`${name}/steps.ts`]: steps,
  };
}

function statuses({ outcomes }: Ran): string[] {
  return outcomes.map(({ planned, status }) => `${planned.id} ${status}`);
}

function stack(ran: Ran, id: string): string {
  const [first] = ran.outcome(id).failures;
  return first && 'error' in first.failure ? first.failure.error.stack : '';
}

describe('files that fail', () => {
  test('results that cannot be written fail their condition, and name the path', async () => {
    using lab = new Lab({ ...experiment('e', RECORDS), 'e/results': 'a file in its place' });
    expect((await lab.run()).failures('e/baseline')).toEqual([
      '*: e/results/baseline could not be written: ENOTDIR: not a directory',
    ]);
  });

  test.skipIf(process.getuid?.() === 0)('a read-only results folder is such a case', async () => {
    using lab = new Lab(experiment('e', RECORDS));
    mkdirSync(join(lab.root, 'e/results'));
    chmodSync(join(lab.root, 'e/results'), 0o555);
    expect((await lab.run()).failures('e/baseline')).toEqual([
      '*: e/results/baseline could not be written: EACCES: permission denied',
    ]);
  });

  test('an artifact that cannot be written fails its replicate', async () => {
    using lab = new Lab(
      experiment(
        'e',
        `
import { mkdirSync } from 'node:fs';
export const step = (data: number, ctx: any) => { mkdirSync(ctx.artifact('out').path); };
`,
        OUTPUTS,
      ),
    );
    expect((await lab.run()).failures('e/baseline')).toEqual([
      '0: the output "out" (out.json) is declared, but no step wrote it',
    ]);
  });

  const ARTIFACT = 'up/results/baseline/artifacts/replicate_0/out.json';

  test('an upstream artifact that is missing or damaged: its path, and the task that makes it', async () => {
    using lab = new Lab({ ...experiment('up', WRITES, OUTPUTS), ...reader('down', 'up') });
    const down = async (): Promise<string[]> =>
      (await lab.run({ only: ['down/baseline'], alone: true })).failures('down/baseline');
    expect(await down()).toEqual([
      '*: up/results/baseline/metrics.json is missing. Run the condition "baseline" of "up".',
    ]);
    await lab.run({ only: ['up/baseline'] });
    lab.write({ [ARTIFACT]: '{ "data": ' });
    const damaged = `*: ${ARTIFACT} is not what its run wrote: it was damaged or edited. Run the condition "baseline" of "up" again, with --skip-nx-cache.`;
    expect(await down()).toEqual([damaged]);
    rmSync(join(lab.root, ARTIFACT));
    const missing = `*: ${ARTIFACT} is missing. Run the condition "baseline" of "up".`;
    expect(await down()).toEqual([missing]);
    mkdirSync(join(lab.root, ARTIFACT));
    expect(await down()).toEqual([missing]);
  });

  test('a loader that throws: its name and the path', async () => {
    const outputs = { out: { file_name: 'out.json', writer: 'dump_text', loader: 'load_json' } };
    using lab = new Lab({
      ...experiment('up', WRITES.replace('{ data }', "'no JSON'"), { outputs }),
      ...reader('down', 'up'),
    });
    const [failure] = (await lab.run()).failures('down/baseline');
    expect(failure).toMatch(/^0: the loader load_json threw SyntaxError: .+ on up\/results\//);
  });
});

describe('code that fails', () => {
  test('the stack shows the user’s own lines, relative to the root, and none of ours', async () => {
    using lab = new Lab({
      ...experiment(
        'e',
        `import { check } from '../lib/check';

interface Unused {
  a: number;
}

export async function step(data: number): Promise<void> {
  await Promise.resolve();
  const wrong: Unused = { a: data };
  check(wrong.a);
}
`,
      ),
      'lib/check.ts': `type Size = 'small' | 'large';

export function check(n: number, size: Size = 'small'): void {
  if (size === 'small') {
    throw new RangeError(\`\${n} is too \${size}\`);
  }
}
`,
    });
    const ran = await lab.run();
    expect(ran.failures('e/baseline')).toEqual(['0: step step threw RangeError: 0 is too small']);
    expect(stack(ran, 'e/baseline')).toBe('at check (lib/check.ts:5)\nat step (e/steps.ts:10)');
  });

  test('a datasource that throws', async () => {
    using lab = new Lab({
      ...experiment('e', RECORDS),
      'e/datasources.ts': "export async function source() {\n  throw new Error('no data');\n}\n",
    });
    const ran = await lab.run();
    expect(ran.failures('e/baseline')).toEqual(['0: datasource source threw Error: no data']);
    expect(stack(ran, 'e/baseline')).toBe('at source (e/datasources.ts:2)');
  });

  test('a module with a syntax error: its place', async () => {
    using lab = new Lab({
      ...experiment('e', 'export const step = (data: number) => {\n  return data +;\n};\n', {
        replicates: 9,
      }),
    });
    const failures = (await lab.run()).failures('e/baseline');
    expect(failures).toEqual([
      '*: e/steps.ts could not be loaded: SyntaxError: Unexpected token at e/steps.ts:2:15',
    ]);
  });

  test('a module that throws while it loads, and one whose import is missing', async () => {
    using lab = new Lab({
      ...experiment('throws', "throw new Error('not today');\n"),
      ...experiment('imports', "import { x } from './not-here';\nexport const step = () => x;\n"),
      ...experiment('package', "import x from 'not-installed';\nexport const step = () => x;\n"),
    });
    const ran = await lab.run();
    expect(ran.failures('throws/baseline')).toEqual([
      '*: throws/steps.ts could not be loaded: Error: not today',
    ]);
    expect(stack(ran, 'throws/baseline')).toBe('at throws/steps.ts:1');
    expect(ran.failures('imports/baseline')).toEqual([
      "*: imports/steps.ts could not be loaded: Error: Cannot find module './not-here', imported by imports/steps.ts",
    ]);
    expect(ran.failures('package/baseline')).toEqual([
      "*: package/steps.ts could not be loaded: Error: Cannot find module 'not-installed', imported by package/steps.ts",
    ]);
  });

  test('a missing module and a missing function, with the nearest name', async () => {
    using lab = new Lab({
      ...experiment('function', RECORDS.replace('step', 'stepp')),
      ...experiment('other', 'export const quite = 1;\nexport function different() {}\n'),
      'module/config.yaml': { datasource: { data: 'source' }, steps: ['step'] },
      ...experiment('writer', WRITES, { outputs: { out: { file_name: 'out.json', writer: 'dump_jsom' } } }),
    });
    const ran = await lab.run();
    expect(ran.failures('function/baseline')).toEqual([
      '*: function/steps.ts does not export a function "step". Did you mean "stepp"?',
    ]);
    expect(ran.failures('other/baseline')).toEqual([
      '*: other/steps.ts does not export a function "step". Known functions of other/steps.ts: different.',
    ]);
    expect(ran.failures('module/baseline')).toEqual([
      '*: there is no steps module in module. Add steps.ts (or .mts, .js, .mjs, .py).',
    ]);
    expect(ran.failures('writer/baseline')).toEqual([
      '*: there is no writer "dump_jsom": writer has no outputs module, and no built-in writer has that name. Did you mean "dump_json"?',
    ]);
  });
});

describe('a run with failures', () => {
  const CHAIN = {
    ...experiment('bad', "export const step = () => { throw new Error('no'); };\n", {
      ...OUTPUTS,
      replicates: 3,
    }),
    ...experiment('good', WRITES, OUTPUTS),
    ...reader('behind_bad', 'bad', WRITES.replace('{ data }', '1')),
    ...reader('behind_that', 'behind_bad'),
    ...reader('behind_good', 'good', WRITES.replace('{ data }', '1')),
  };

  test('skips what is behind a failure, and runs all else', async () => {
    using lab = new Lab(CHAIN);
    const ran = await lab.run();
    expect(statuses(ran)).toEqual([
      'bad/baseline failed',
      'good/baseline succeeded',
      'behind_bad/baseline skipped',
      'behind_good/baseline succeeded',
      'behind_that/baseline skipped',
    ]);
    expect(ran.outcome('behind_that/baseline').blockedBy).toBe('behind_bad/baseline');
    expect(lab.manifest('bad/baseline').failed).toEqual(
      [0, 1, 2].map((replicate) => ({
        replicate,
        seed: replicate * 31337,
        reason: 'step step threw Error: no',
      })),
    );
  });

  test('failFast stops at the first replicate that fails', async () => {
    using lab = new Lab({
      ...experiment(
        'bad',
        "export const step = (data: number) => { if (data === 2) throw new Error('no'); };\n",
        { replicates: 1000 },
      ),
      ...experiment('slow', 'export const step = () => new Promise(() => {});\n'),
    });
    const ran = await lab.run({ failFast: true, workers: 2 });
    expect(statuses(ran)).toEqual(['bad/baseline failed', 'slow/baseline aborted']);
    expect(ran.failures('bad/baseline')).toEqual(['2: step step threw Error: no']);
    expect(lab.manifest('bad/baseline').failed.at(-1)).toEqual({
      replicate: 999,
      seed: 999 * 31337,
      reason: 'not run',
    });
  });

  test('an aborted run leaves the old results as they were', async () => {
    using lab = new Lab(experiment('e', WRITES, { ...OUTPUTS, replicates: 3 }));
    await lab.run();
    const before = lab.snapshot();
    lab.write({ 'e/steps.ts': 'export const step = () => new Promise(() => {});\n' });
    const stop = new AbortController();
    const ran = await lab.run({ signal: stop.signal, onEvent: () => setTimeout(() => stop.abort(), 300) });
    expect(statuses(ran)).toEqual(['e/baseline aborted']);
    expect(lab.snapshot()).toEqual(before);
  });

  test('so does one whose workers are ended first, as Nx does on Ctrl-C', async () => {
    using lab = new Lab(experiment('e', WRITES, { ...OUTPUTS, replicates: 3 }));
    await lab.run();
    const before = lab.snapshot();
    const hangs = 'export const step = () => { console.log(process.pid); return new Promise(() => {}); };\n';
    lab.write({ 'e/steps.ts': hangs });
    const ran = await lab.run({
      onEvent: (event) => {
        if (event.type === 'log' && Number(event.text) !== process.pid)
          process.kill(Number(event.text), 'SIGTERM');
      },
    });
    expect(statuses(ran)).toEqual(['e/baseline aborted']);
    expect(lab.snapshot()).toEqual(before);
    expect(ran.events.flatMap((event) => (event.type === 'warning' ? [event.text] : []))).toEqual([
      'the run was stopped, because a worker process was sent SIGTERM: by a step, or by what watches over this machine, such as its memory. Run again to go on',
    ]);
  });

  test('a run that is stopped before it begins touches nothing', async () => {
    using lab = new Lab(experiment('e', RECORDS));
    const ran = await lab.run({ signal: AbortSignal.abort() });
    expect(statuses(ran)).toEqual(['e/baseline aborted']);
    expect(lab.files('e')).toEqual(['config.yaml', 'datasources.ts', 'steps.ts']);
  });

  test('leftovers of killed runs are removed, those of living ones are not', async () => {
    using lab = new Lab(experiment('e', RECORDS));
    const { pid } = spawnSync('true');
    lab.write({
      [`e/results/.baseline.${pid}/artifacts/replicate_0/x`]: 'x',
      [`e/results/.baseline.${pid}.old/metrics.json`]: 'x',
      [`e/results/.baseline.${process.ppid}/artifacts/x`]: 'x',
      [`e/results/.other.${pid}/x`]: 'x',
    });
    await lab.run();
    expect(lab.files('e/results')).toEqual([
      `.baseline.${process.ppid}/artifacts/x`,
      `.other.${pid}/x`,
      'baseline/metrics.json',
      'baseline/run.jsonl',
    ]);
  });

  test('what another machine makes on the same file system is left alone, until it has been still for a week', async () => {
    using lab = new Lab(experiment('e', RECORDS));
    const { pid } = spawnSync('true');
    const [fresh, old] = [`.baseline.${pid}-0@0123abcd`, `.baseline.${pid}-1@0123abcd`];
    lab.write({ [`e/results/${fresh}/artifacts/x`]: 'x', [`e/results/${old}/artifacts/x`]: 'x' });
    const before = Date.now() / 1000 - 8 * 24 * 3600;
    for (const path of ['', 'artifacts']) utimesSync(join(lab.root, 'e/results', old, path), before, before);
    const own = new Set<string>();
    const onEvent = (): void => {
      for (const name of readdirSync(join(lab.root, 'e/results'))) own.add(name);
    };
    await lab.run({ onEvent });
    expect(lab.files('e/results')).toEqual([
      `${fresh}/artifacts/x`,
      'baseline/metrics.json',
      'baseline/run.jsonl',
    ]);
    expect([...own]).toContainEqual(
      expect.stringMatching(new RegExp(`^\\.baseline\\.${process.pid}-\\d+@${MACHINE}$`)),
    );
  });

  test.skipIf(spawnSync('unshare', ['--pid', '--fork', 'true']).status !== 0)(
    'a container is another machine: numbers of its processes mean nothing outside',
    () => {
      const module = JSON.stringify(join(import.meta.dirname, '../../../plugin/build/io/writing/growing.js'));
      const print = `import(${module}).then(({ MACHINE }) => console.log(MACHINE))`;
      const node = [process.execPath, '--eval', print];
      const { stdout } = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', ...node], {
        encoding: 'utf8',
      });
      expect(stdout).toMatch(/^[0-9a-f]{12}\n$/);
      expect(stdout.trim()).not.toBe(MACHINE);
    },
  );

  test('run.jsonl tells of every replicate, failure and line', async () => {
    using lab = new Lab(
      experiment(
        'e',
        `
export const step = (data: number, ctx: any) => {
  console.log('on', data);
  console.error('%s', 'oops');
  if (data === 1) throw new Error('no');
};
`,
        { replicates: 2, execution: { retries: 1 } },
      ),
    );
    await lab.run();
    const lines = lab.log('e/baseline').map(({ ms, startedAt, versions, platform, reused, ...rest }) => ({
      ...rest,
      ...(ms === undefined ? {} : { ms: typeof ms }),
      ...(startedAt === undefined ? {} : { startedAt: Number.isNaN(Date.parse(String(startedAt))) }),
    }));
    const failure = {
      type: 'failure',
      replicate: 1,
      message: 'step step threw Error: no',
      stack: 'at step (e/steps.ts:5)',
    };
    const on = (replicate: number) => [
      { type: 'log', replicate, text: `on ${replicate}` },
      { type: 'log', replicate, text: 'oops' },
    ];
    expect(lines).toEqual([
      ...on(0),
      { type: 'replicate', replicate: 0, ms: 'number' },
      ...on(1),
      { ...failure, retrying: true },
      ...on(1),
      { ...failure, retrying: false },
      { type: 'provenance' },
      { type: 'condition', ms: 'number', startedAt: false },
    ]);
  });
});
