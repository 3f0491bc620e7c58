import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../plugin/build/runtime/events.js';
import { pruneStore, verifyStore } from '../../plugin/build/store/maintenance.js';
import { experiment, Lab } from '../support/engine.ts';
import { COUNTING, CountingLab } from './counting-lab.ts';

const RUN_LAB = fileURLToPath(new URL('../faults/run-lab.mjs', import.meta.url));
const BIN = fileURLToPath(new URL('../../plugin/bin/nx-experiments.js', import.meta.url));
const DAY_MS = 86_400_000;

const OUTPUTS = { out: { file_name: 'out.json', writer: 'dump_json', loader: 'load_json' } };
const STEPS = `${COUNTING}
export const step = async (data: any, ctx: any) => {
  executed(ctx);
  await ctx.artifact('out').write({ value: ctx.random(), filler: 'x'.repeat(ctx.params.length ?? 10) });
  ctx.metrics.add('value', ctx.replicate);
};
`;
const READER = `${COUNTING}
export const step = (data: any, ctx: any) => { executed(ctx); ctx.metrics.add('read', data.out.value); };
`;

function pair(settings: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...experiment('first', STEPS, { replicates: 8, outputs: OUTPUTS, ...settings }),
    'second/config.yaml': { datasource: { out: 'first#out' }, steps: ['step'] },
    'second/steps.ts': READER,
  };
}

/** What the pair comes to when nothing disturbs it. */
async function undisturbed(settings: Record<string, unknown> = {}): Promise<Record<string, string>> {
  using lab = new CountingLab(pair(settings));
  await lab.count();
  return lab.snapshot();
}

/** A file system of its own; the test is skipped with the reason where that cannot be. */
function mounted(path: string, options: string, skip: (why: string) => void): Disposable {
  mkdirSync(path, { recursive: true });
  const { status, error, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], {
    encoding: 'utf8',
  });
  if (status !== 0) {
    const why = `a file system cannot be mounted here: ${error?.message ?? stderr.trim()}`;
    console.log(why);
    skip(why);
  }
  return { [Symbol.dispose]: () => void spawnSync('umount', ['-l', path]) };
}

function remount(path: string, options: string): void {
  expect(spawnSync('mount', ['-o', `remount,${options}`, path]).status).toBe(0);
}

function warningsOf(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.text] : []));
}

const NOT_KEPT = 'finished replicates are no longer kept in the run store, and would run again: ';

test('a full disk under the store: the results are right, and one warning says why nothing is kept', async ({
  skip,
}) => {
  using lab = new CountingLab(pair({ params: { length: 20_000 } }));
  using _ = mounted(join(lab.root, 'store'), 'size=64k', skip);
  const { ran } = await lab.count();
  expect(ran.outcomes.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  expect(warningsOf(ran.events)).toEqual([
    expect.stringMatching(`^${NOT_KEPT}ENOSPC: no space left on device`),
  ]);
  expect(lab.snapshot()).toEqual(await undisturbed({ params: { length: 20_000 } }));

  remount(join(lab.root, 'store'), 'size=10m');
  lab.remove('first/results');
  const { counts, ran: next } = await lab.count();
  expect(warningsOf(next.events)).toEqual([]);
  expect(counts['first/baseline']).toBeLessThan(8);
  expect((await lab.count()).counts).toEqual({});
  expect((await verifyStore(join(lab.root, 'store'))).problems).toEqual([]);
});

test('a disk that is full in the middle of a record: half a line is never read, and nothing is added to it', async ({
  skip,
}) => {
  const steps = `${COUNTING}export const step = (data: any, ctx: any) => { executed(ctx); ctx.metrics.add('x'.repeat(1000), ctx.replicate); };`;
  using lab = new CountingLab(experiment('e', steps, { replicates: 40 }));
  using _ = mounted(join(lab.root, 'store'), 'size=24k', skip);
  const { ran } = await lab.count();
  expect(ran.outcome('e/baseline').status).toBe('succeeded');
  expect(warningsOf(ran.events)).toHaveLength(1);
  const expected = lab.snapshot();
  remount(join(lab.root, 'store'), 'size=10m');
  await lab.count();
  expect((await lab.count()).counts).toEqual({});
  expect(lab.snapshot()).toEqual(expected);
});

test.for(['a file', 'a read-only file system'])(
  'a store that is %s costs no results',
  async (what, { skip }) => {
    using lab = new CountingLab(pair());
    const store = join(lab.root, 'store');
    if (what === 'a file') writeFileSync(store, '');
    using _ = what === 'a file' ? undefined : mounted(store, 'ro', skip);
    const { ran } = await lab.count();
    expect(ran.outcomes.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    expect(warningsOf(ran.events)).toEqual([expect.stringMatching(`^${NOT_KEPT}(ENOTDIR|EEXIST|EROFS)`)]);
    expect(lab.snapshot()).toEqual(await undisturbed());
  },
);

test('a store that became read-only still gives back what it has, without a warning', async ({ skip }) => {
  using lab = new CountingLab(pair());
  using _ = mounted(join(lab.root, 'store'), 'size=10m', skip);
  await lab.count();
  const expected = lab.snapshot();
  remount(join(lab.root, 'store'), 'ro');
  const { counts, ran } = await lab.count();
  expect(counts).toEqual({});
  expect(warningsOf(ran.events)).toEqual([]);
  expect(lab.snapshot()).toEqual(expected);
});

test('a full disk under the results: a clear error, the old results stay, and no half of the new ones', async ({
  skip,
}) => {
  using lab = new CountingLab(pair());
  const results = join(lab.root, 'first/results');
  using _ = mounted(results, 'size=2m', skip);
  await lab.count();
  const before = lab.snapshot();
  lab.replace('first/config.yaml', '"replicates":8', '"replicates":8,"params":{"length":600000}');
  const { ran } = await lab.count();
  expect(ran.outcome('first/baseline').status).toBe('failed');
  expect(ran.failures('first/baseline')[0]).toMatch(/ENOSPC: no space left on device/);
  expect(ran.outcome('second/baseline').status).toBe('skipped');
  for (const name of readdirSync(results)) expect(name).toBe('baseline');

  remount(results, 'size=20m');
  const next = await lab.count();
  expect(next.ran.outcomes.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  expect(lab.snapshot()).toEqual(await undisturbed({ params: { length: 600_000 } }));
  lab.replace('first/config.yaml', ',"params":{"length":600000}', '');
  await lab.count();
  expect(lab.snapshot()).toEqual(before);
});

test('results that cannot be written: a clear error with the path', async ({ skip }) => {
  using lab = new Lab(pair());
  writeFileSync(join(lab.root, 'second/results'), 'a file');
  using _ = mounted(join(lab.root, 'first/results'), 'ro', skip);
  const first = await lab.run({ store: 'store' });
  expect(first.failures('first/baseline')).toEqual([
    '*: first/results/baseline could not be written: EROFS: read-only file system',
  ]);
  remount(join(lab.root, 'first/results'), 'rw');
  const second = await lab.run({ store: 'store' });
  expect(second.failures('second/baseline')).toEqual([
    expect.stringMatching(/^\*: second\/results\/baseline could not be written: (ENOTDIR|EEXIST)/),
  ]);
  rmSync(join(lab.root, 'second/results'));
  expect((await lab.run({ store: 'store' })).outcome('second/baseline').status).toBe('succeeded');
});

test('a file that may not be read: a clear error with its path, and nothing is damaged', async () => {
  using lab = new Lab(
    experiment('e', 'export const step = (data: unknown) => data;', { inputs: ['data.txt'] }),
  );
  lab.write({ 'e/data.txt': 'secret' });
  const steps = lab.read('e/steps.ts');
  const nobody = process.getuid?.() === 0 ? 65_534 : undefined; // no permission stops root
  if (nobody !== undefined) spawnSync('chown', ['-R', String(nobody), lab.root]);
  chmodSync(join(lab.root, 'e/data.txt'), 0);
  expect(await runLab(lab.root, nobody)).toEqual({
    code: 1,
    output: 'e/baseline: e/data.txt could not be read: EACCES: permission denied\n',
  });
  chmodSync(join(lab.root, 'e/data.txt'), 0o644);
  chmodSync(join(lab.root, 'e/steps.ts'), 0);
  const { code, output } = await runLab(lab.root, nobody);
  expect(code).toBe(1);
  expect(output).toMatch(/^e\/baseline: e\/steps.ts could not be read: EACCES/);
  chmodSync(join(lab.root, 'e/steps.ts'), 0o644);
  lab.write({ 'e/steps.ts': steps });
  expect(await runLab(lab.root, nobody)).toEqual({ code: 0, output: '' });
});

test('every kind of file is verified, and none that could not be read is taken for a good one', async () => {
  using lab = new CountingLab(pair({ replicates: 2 }));
  await lab.count();
  const store = join(lab.root, 'store');
  expect(await verifyStore(store)).toEqual({ records: 2, objects: 2, histories: 2, problems: [] });
  for (const kind of ['records', 'objects', 'history']) {
    const [path = ''] = lab.files(`store/v1/${kind}`);
    const file = join(store, 'v1', kind, path);
    chmodSync(file, 0o644);
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const { problems } = await verifyStore(store);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('damaged');
    rmSync(file, { force: true });
  }
  expect(await verifyStore(store)).toEqual({ records: 1, objects: 1, histories: 1, problems: [] });
  const left = ['records', 'objects', 'history'].map((kind) =>
    join(store, 'v1', kind, lab.files(`store/v1/${kind}`)[0] ?? ''),
  );
  const nobody = process.getuid?.() === 0 ? 65_534 : undefined; // no permission stops root
  if (nobody !== undefined) spawnSync('chown', ['-R', String(nobody), lab.root]);
  for (const file of left) chmodSync(file, 0);
  lab.write({ 'nx.json': { plugins: ['nx-experiments'] } });
  const { status, stdout } = spawnSync(process.execPath, [BIN, 'store', 'verify'], {
    cwd: lab.root,
    encoding: 'utf8',
    env: { ...process.env, NX_EXPERIMENTS_STORE: store },
    ...(nobody === undefined ? {} : { uid: nobody }),
  });
  expect(status).toBe(1);
  expect(stdout).toBe(
    `${left.map((file) => `${file} could not be read: EACCES: permission denied, open '${file}'.\n`).join('')}1 record file, 1 artifact and 1 history checked: 3 problems.\n`,
  );
});

test('a clock that was set back: files from the future are used, and age from now on', async () => {
  using lab = new CountingLab(pair());
  const store = join(lab.root, 'store');
  await lab.count();
  const expected = lab.snapshot();
  const ahead = (Date.now() + 300 * DAY_MS) / 1000;
  const setAhead = (): void => {
    for (const file of lab.files('store')) utimesSync(join(store, file), ahead, ahead);
  };
  mkdirSync(join(store, 'v1/tmp'), { recursive: true });
  writeFileSync(join(store, 'v1/tmp/1-abandoned'), 'half');
  setAhead();
  expect((await lab.count()).counts).toEqual({});
  setAhead();
  expect(await pruneStore(store, 2 ** 30, Date.now())).toMatchObject({ removed: 1, freedBytes: 4 });
  expect((await pruneStore(store, 0, Date.now())).keptBytes).toBe(0);
  await lab.count();
  expect(lab.snapshot()).toEqual(expected);
});

test('a clock that was set back: what was written last counts', async () => {
  const steps =
    "export const step = (data: unknown, ctx: any) => ctx.metrics.add('at', Number(process.hrtime.bigint() % 1_000_000_007n));";
  using lab = new Lab(experiment('e', steps));
  const records = join(lab.root, 'store/v1/records');
  await lab.run({ store: 'store' });
  const [key = ''] = readdirSync(records);
  const [file = ''] = readdirSync(join(records, key));
  const later = (Date.now() + 300 * DAY_MS).toString(36).padStart(9, '0');
  const renamed = join(records, key, `${later}-1-abc.log`);
  writeFileSync(renamed, readFileSync(join(records, key, file)));
  rmSync(join(records, key, file));
  await lab.run({ store: 'store', strategy: 'rerun' });
  const written = lab.metric('e/baseline', 'at');
  await lab.run({ store: 'store' });
  expect(lab.metric('e/baseline', 'at')).toEqual(written);
});

test('two runs of one graph at once, over and over: both succeed, and the results are right', async () => {
  using lab = new CountingLab(pair({ replicates: 20 }));
  await lab.count();
  const expected = lab.snapshot();
  process.env.NX_EXECUTIONS = join(lab.root, 'executions');
  for (let round = 0; round < 2; round++) {
    if (round % 2 === 0) rmSync(join(lab.root, '.nx'), { recursive: true, force: true });
    const runs = await Promise.all([1, 2, 3].map(() => runLab(lab.root)));
    expect(runs).toEqual(runs.map(() => ({ code: 0, output: '' })));
    expect(lab.snapshot()).toEqual(expected);
  }
  const inOneProcess = await Promise.all([lab.run({ store: 'store' }), lab.run({ store: 'store' })]);
  for (const { outcomes } of inOneProcess)
    expect(outcomes.every(({ status }) => status === 'succeeded')).toBe(true);
  expect(lab.snapshot()).toEqual(expected);
});

test('a store that is pruned to nothing all the time: results stay right, nothing is damaged', async () => {
  using lab = new CountingLab(pair({ replicates: 20 }));
  await lab.count();
  const expected = lab.snapshot();
  const pruning = new AbortController();
  const pruner = (async () => {
    while (!pruning.signal.aborted) await pruneStore(join(lab.root, 'store'), 0, Date.now());
  })();
  for (let round = 0; round < 2; round++) {
    const ran = await lab.run({ store: 'store', workers: 2 });
    expect(ran.outcomes.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    expect(lab.snapshot()).toEqual(expected);
  }
  pruning.abort();
  await pruner;
  await lab.run({ store: 'store' });
  expect((await lab.count()).counts).toEqual({});
  expect(lab.snapshot()).toEqual(expected);
  expect((await verifyStore(join(lab.root, 'store'))).problems).toEqual([]);
});

test('a pipe that a step reads keeps nobody waiting, and what came from it is not kept', async ({ skip }) => {
  const steps = `
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
export const step = (data: any, ctx: any) => {
  appendFileSync('../executed', 'x');
  spawn('sh', ['-c', 'echo 42 > pipe'], { stdio: 'ignore' });
  ctx.metrics.add('read', Number(readFileSync('pipe', 'utf8')));
};`;
  using lab = new Lab(experiment('e', steps));
  if (spawnSync('mkfifo', [join(lab.root, 'e/pipe')]).status !== 0) skip('there are no pipes here');
  for (const executed of ['x', 'xx']) {
    expect(await runLab(lab.root)).toEqual({ code: 0, output: '' });
    expect(lab.metric('e/baseline', 'read')).toEqual([42]);
    expect(lab.read('executed')).toBe(executed);
  }
});

test('a folder in the place of a module is told by its own name', async () => {
  using lab = new CountingLab({
    'e/config.yaml': { datasource: { data: 'source' }, steps: ['step'] },
    'e/datasources.ts': 'export const source = () => 1;\n',
    'e/steps.ts/file': '',
  });
  const { ran } = await lab.count();
  expect(ran.failures('e/baseline')).toEqual(['*: e/steps.ts could not be read: it is no file']);
});

test('a results folder that is half written is never read', async () => {
  using lab = new CountingLab(pair());
  await lab.count();
  const expected = lab.snapshot();
  lab.remove('first/results/baseline/metrics.json');
  const alone = await lab.run({ only: ['second/baseline'], alone: true, store: 'store' });
  expect(alone.failures('second/baseline')).toEqual([
    '*: first/results/baseline/metrics.json is missing. Run the condition "baseline" of "first".',
  ]);
  lab.write({ 'first/results/baseline/metrics.json': '{"version":1,"experiment":"first"' });
  const cutOff = await lab.run({ only: ['second/baseline'], alone: true, store: 'store' });
  expect(cutOff.outcome('second/baseline').status).toBe('failed');
  expect((await lab.count()).counts).toEqual({});
  expect(lab.snapshot()).toEqual(expected);
});

const BAD_STEPS = {
  leaks: 'const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length));',
  floods:
    "for (let i = 0; i < 2000; i++) process.stdout.write('x'.repeat(1_000_000)); throw new Error('flooded');",
  hangs: 'return new Promise(() => {});',
  throws_text: "throw 'text';",
  records_text: "ctx.metrics.add('value', 'text');",
  exits: 'process.exit(0);',
};

test('whatever a step does, the store holds the good replicates only: the next run executes the failed ones', async () => {
  const steps = Object.entries(BAD_STEPS)
    .map(
      ([name, body]) =>
        `export const ${name} = async (data: any, ctx: any) => { executed(ctx); if (process.env.BAD && ctx.replicate === 1) { ${body} } ctx.metrics.add('value', ctx.replicate); };\n`,
    )
    .join('');
  const names = Object.keys(BAD_STEPS);
  using lab = new CountingLab(
    Object.assign(
      {},
      ...names.map((name) =>
        experiment(name, COUNTING + steps, {
          replicates: 3,
          steps: [name],
          execution: { timeout: name === 'hangs' ? '500ms' : '1m' },
        }),
      ),
    ),
  );
  process.env.BAD = 'yes';
  process.env.NODE_OPTIONS = '--max-old-space-size=64';
  try {
    const { ran } = await lab.count({ workers: 2 });
    for (const name of names) {
      expect(ran.outcome(`${name}/baseline`).failures.map(({ replicate }) => replicate)).toEqual([1]);
    }
  } finally {
    delete process.env.BAD;
    delete process.env.NODE_OPTIONS;
  }
  const { replicates, ran } = await lab.count({ workers: 2 });
  expect(replicates).toEqual(Object.fromEntries(names.map((name) => [`${name}/baseline`, [1]])));
  expect(ran.outcomes.every(({ status }) => status === 'succeeded')).toBe(true);
  expect((await lab.count()).counts).toEqual({});
});

test('a step may return what cannot be serialised: nobody reads it, and its replicate is kept', async () => {
  const steps = `${COUNTING}export const step = (data: any, ctx: any) => { executed(ctx); const circle: any = { call: () => 1, big: 1n }; circle.self = circle; return circle; };`;
  using lab = new CountingLab(experiment('e', steps, { replicates: 3 }));
  expect((await lab.count()).counts).toEqual({ 'e/baseline': 3 });
  expect((await lab.count()).counts).toEqual({});
});

function runLab(root: string, uid?: number): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const user = uid === undefined ? {} : { uid, gid: uid };
    // A run that never ends is none that may keep the tests from ending.
    const child = spawn(process.execPath, [RUN_LAB, root], {
      ...user,
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.once('close', (code) => resolve({ code, output }));
  });
}
