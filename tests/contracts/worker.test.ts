import { spawn } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { NodeWorker } from '../../plugin/build/workers/node-worker.js';
import { WorkerPool } from '../../plugin/build/workers/pool/worker-pool.js';
import type { VerifyJob, Worker, WorkerListener, WorkerSpec } from '../../plugin/build/workers/protocol.js';
import { PythonWorker } from '../../plugin/build/workers/python-worker.js';
import { Lab, type Ran, type RunSettings } from '../support/engine.ts';
import { NODE_DATASOURCES, NODE_ENDS_ON_LOAD, NODE_STEPS } from './node-steps.ts';
import { PYTHON_DATASOURCES, PYTHON_ENDS_ON_LOAD, PYTHON_STEPS } from './python-steps.ts';

interface Implementation {
  readonly name: string;
  /** Modules with the steps of node-steps.ts. */
  readonly files: Readonly<Record<string, string>>;
  readonly endsOnLoad: Readonly<Record<string, string>>;
  /** Functions `loops` and `decides` that verify. */
  readonly verifiers: Readonly<Record<string, string>>;
  readonly spec: WorkerSpec;
  /** What steps that misbehave in replicate 2 come to. */
  readonly misbehaving: readonly (readonly [step: string, message: string | RegExp])[];
  /** How a process is ended from the inside. */
  readonly exit: string;
  readonly error: string;
  readonly outOfMemory: { readonly env: NodeJS.ProcessEnv; readonly message: string };
  create(listener: WorkerListener, spec: WorkerSpec, env?: NodeJS.ProcessEnv): Worker;
}

const UNCAUGHT =
  'an error that no step caught, in a timer or a promise that was not awaited, ended the worker process';

const IMPLEMENTATIONS: readonly Implementation[] = [
  {
    name: 'node',
    files: { 'datasources.mjs': NODE_DATASOURCES, 'steps.mjs': NODE_STEPS },
    endsOnLoad: { 'datasources.mjs': NODE_DATASOURCES, 'steps.mjs': NODE_ENDS_ON_LOAD },
    verifiers: {
      'verifiers.mjs':
        'export const loops = () => { for (;;); };\nexport const decides = () => ({ p: Math.random() });\n',
    },
    spec: { type: 'node' },
    misbehaving: [
      ['exits_0', '2: the worker process ended: exit code 0 (did a step call process.exit?)'],
      ['exits_1', '2: the worker process ended: exit code 1 (did a step call process.exit?)'],
      ['aborts', /^2: the worker process ended: signal SIGABRT/],
      ['throws_in_a_timer', `2: ${UNCAUGHT}: Error: too late`],
      ['rejects_unseen', `2: ${UNCAUGHT}: Error: nobody waits`],
      ['throws_text', '2: step throws_text threw a value that is no Error: just text'],
      ['throws_null', '2: step throws_null threw a value that is no Error: null'],
      ['throws_hostile', '2: step throws_hostile threw a value that is no Error: one that cannot be shown'],
      ['throws_cause', '2: step throws_cause threw Error: fetch failed; caused by Error: connection refused'],
    ],
    exit: 'process.exit',
    error: 'Error',
    outOfMemory: {
      env: { NODE_OPTIONS: '--max-old-space-size=64' },
      message:
        '2: the worker process ended: it ran out of memory. NODE_OPTIONS=--max-old-space-size=<megabytes> gives it more',
    },
    create: (listener, _spec, env) => new NodeWorker(listener, env),
  },
  {
    name: 'python',
    files: { 'datasources.py': PYTHON_DATASOURCES, 'steps.py': PYTHON_STEPS },
    endsOnLoad: { 'datasources.py': PYTHON_DATASOURCES, 'steps.py': PYTHON_ENDS_ON_LOAD },
    verifiers: {
      'verifiers.py':
        'import random\ndef loops(baseline, treatment):\n    while True: pass\ndef decides(baseline, treatment):\n    return {"p": random.random()}\n',
    },
    spec: { type: 'python', command: 'python3' },
    misbehaving: [
      ['exits_0', '2: the worker process ended: exit code 0 (did a step call os._exit?)'],
      ['exits_1', '2: the worker process ended: exit code 1 (did a step call os._exit?)'],
      ['aborts', /^2: the worker process ended: signal SIGABRT.*File "lab\/steps.py", line \d+ in aborts/s],
      ['faults', /^2: the worker process ended: signal SIGSEGV.*File "lab\/steps.py", line \d+ in faults/s],
      ['is_killed', '2: the worker process ended: signal SIGKILL'],
      ['sys_exits', '2: step sys_exits threw SystemExit: 4'],
      ['throws_hostile', '2: step throws_hostile threw an error: one that cannot be shown'],
      [
        'throws_cause',
        '2: step throws_cause threw RuntimeError: fetch failed; caused by OSError: connection refused',
      ],
    ],
    exit: 'os._exit',
    error: 'ValueError',
    outOfMemory: { env: {}, message: '2: step runs_out_of_memory threw MemoryError' },
    create: (listener, spec, env) =>
      new PythonWorker(listener, spec.type === 'python' ? spec.command : 'no Python was asked for', env),
  },
];

describe.each(IMPLEMENTATIONS)('a $name worker', (worker) => {
  function lab(steps: readonly string[], settings: Record<string, unknown> = {}): Lab {
    const made = new Lab(inFolder('lab', worker.files));
    const { params = {}, ...others } = settings as { params?: object };
    const folder = made.root;
    const datasource = { data: 'source' };
    made.write({
      'lab/config.yaml': { datasource, steps, replicates: 5, params: { folder, ...params }, ...others },
    });
    return made;
  }

  const run = (at: Lab, settings: RunSettings = {}): Promise<Ran> =>
    at.run({ createWorker: worker.create, ...settings });

  test('answers every replicate once', async () => {
    using at = lab(['record'], { replicates: 1000 });
    const { outcomes, events } = await run(at, { workers: 2 });
    expect(outcomes[0]?.status).toBe('succeeded');
    expect(at.metric('lab/baseline', 'value')).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(events.filter(({ type }) => type === 'replicate-finished')).toHaveLength(1000);
  });

  test('a file that a step has written itself is as new as the run; one that it has linked is left as it is', async () => {
    const outputs = { copied: { file_name: 'copied.txt' }, linked: { file_name: 'linked.txt' } };
    using at = lab(['keeps_times'], { replicates: 1, outputs });
    at.write({ target: 'y' });
    utimesSync(join(at.root, 'target'), 1e9, 1e9);
    const before = Date.now() - 1000;
    const { outcomes } = await run(at);
    expect(outcomes[0]?.status).toBe('succeeded');
    const time = (path: string): number => lstatSync(join(at.root, path)).mtimeMs;
    expect(time('lab/results/baseline/artifacts/replicate_0/copied.txt')).toBeGreaterThan(before);
    expect(time('target')).toBe(1e12);
  });

  test.each(worker.misbehaving)('%s fails its replicate alone', async (step, message) => {
    using at = lab([step, 'record']);
    const ran = await run(at, { workers: 2 });
    expect(ran.failures('lab/baseline')).toEqual([
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
    expect(at.metric('lab/baseline', 'value')).toEqual([0, 1, 3, 4]);
    expect(at.manifest('lab/baseline').failed.map(({ replicate }) => replicate)).toEqual([2]);
  });

  test.each(['closes_3', 'closes_4'])('%s costs no other replicate its result', async (step) => {
    using at = lab([step, 'record'], { replicates: 40 });
    const ran = await run(at, { workers: 1 });
    const expected = Array.from({ length: 40 }, (_, i) => i);
    const failed = step === 'closes_4' ? [2] : [];
    expect(ran.failures('lab/baseline')).toEqual(
      failed.map((i) => expect.stringMatching(`^${i}: the worker process ended: `)),
    );
    expect(at.metric('lab/baseline', 'value')).toEqual(expected.filter((i) => !failed.includes(i)));
  });

  test('a replicate that runs out of memory fails alone, with advice', async () => {
    using at = lab(['runs_out_of_memory', 'record']);
    const env = { ...process.env, ...worker.outOfMemory.env };
    const ran = await run(at, { createWorker: (listener, spec) => worker.create(listener, spec, env) });
    expect(ran.failures('lab/baseline')).toEqual([worker.outOfMemory.message]);
    expect(at.metric('lab/baseline', 'value')).toEqual([0, 1, 3, 4]);
  });

  test.each(['loops', 'hangs'])('%s is stopped by its timeout', async (step) => {
    using at = lab([step, 'record'], { execution: { timeout: '300ms' } });
    const ran = await run(at);
    expect(ran.failures('lab/baseline')).toEqual([`2: timed out after 300 ms in step ${step}`]);
    expect(at.metric('lab/baseline', 'value')).toEqual([0, 1, 3, 4]);
  });

  test('a datasource that never returns is named', async () => {
    using at = lab(['record'], {
      datasource: { source: 'source', stuck: 'stuck' },
      execution: { timeout: '300ms' },
    });
    const ran = await run(at);
    expect(ran.failures('lab/baseline')).toEqual(['2: timed out after 300 ms in datasource stuck']);
  });

  test('a step that obeys its signal has still timed out', async () => {
    using at = lab(['obeys'], { replicates: 2, execution: { timeout: '300ms' } });
    const ran = await run(at);
    expect(ran.failures('lab/baseline')).toEqual([
      '0: timed out after 300 ms in step obeys',
      '1: timed out after 300 ms in step obeys',
    ]);
    expect(existsSync(join(at.root, 'obeyed_0'))).toBe(true);
  });

  test('a timeout of more days than a timer counts stops nothing', async () => {
    using at = lab(['naps'], { execution: { timeout: '1000h' } });
    const ran = await run(at);
    expect(ran.failures('lab/baseline')).toEqual([]);
    expect(at.metric('lab/baseline', 'value')).toEqual([0, 1, 2, 3, 4]);
  });

  test('of eight interleaved replicates, only the one that crashes fails', async () => {
    using at = lab(['exits_1', 'naps'], {
      replicates: 24,
      params: { at: 11 },
      execution: { concurrency: 8 },
    });
    const ran = await run(at);
    expect(ran.failures('lab/baseline')).toEqual([
      `11: the worker process ended: exit code 1 (did a step call ${worker.exit}?)`,
    ]);
    expect(at.manifest('lab/baseline').replicates).toHaveLength(23);
  });

  test('of eight interleaved replicates, only the one that blocks the others times out', async () => {
    using at = lab(['loops', 'naps'], {
      replicates: 8,
      params: { at: 5 },
      execution: { concurrency: 8, timeout: '500ms' },
    });
    const ran = await run(at);
    expect(ran.failures('lab/baseline')).toEqual(['5: timed out after 500 ms in step loops']);
    expect(at.manifest('lab/baseline').replicates).toHaveLength(7);
  });

  test('a replicate is tried again as often as the config says', async () => {
    using at = lab(['fails_twice'], { replicates: 3, params: { succeeds: 3 }, execution: { retries: 2 } });
    const ran = await run(at);
    expect(ran.outcome('lab/baseline').status).toBe('succeeded');
    expect(ran.events.filter((event) => event.type === 'replicate-failed' && event.retrying)).toHaveLength(6);
    at.write({ tries_0: '', tries_1: '', tries_2: '' });
    at.write({
      'lab/config.yaml': {
        datasource: { data: 'source' },
        steps: ['fails_twice'],
        params: { succeeds: 9, folder: at.root },
        execution: { retries: 1 },
      },
    });
    const again = await run(at);
    expect(again.failures('lab/baseline')).toEqual([`0: step fails_twice threw ${worker.error}: try 2`]);
  });

  test('what a step returns need not be a message', async () => {
    using at = lab(['returns_function', 'returns_circle', 'record']);
    expect((await run(at)).outcome('lab/baseline').status).toBe('succeeded');
  });

  /** By replicates: warnings belong to none. */
  const printed = (at: Lab): unknown[] =>
    at
      .log('lab/baseline')
      .flatMap(({ type, replicate, text }) => (type === 'log' && replicate !== undefined ? [text] : []));

  test.each(['floods', 'floods_below'])(
    '%s: 50 MB of output neither block nor fill the memory',
    async (step) => {
      using at = lab([step, 'record'], { replicates: 1 });
      const before = process.memoryUsage.rss();
      const ran = await run(at);
      expect(ran.outcome('lab/baseline').status).toBe('succeeded');
      expect(process.memoryUsage.rss() - before).toBeLessThan(100e6);
      expect(printed(at).length).toBeLessThanOrEqual(200);
    },
  );

  test('what steps write into the channel of messages does no harm', async () => {
    using at = lab(['talks_over', 'record'], { replicates: 20 });
    expect((await run(at)).failures('lab/baseline')).toEqual([]);
    expect(at.metric('lab/baseline', 'value')).toHaveLength(20);
    using other = lab(['lies', 'record'], { replicates: 3 });
    await run(other);
    expect(other.manifest('lab/baseline').replicates.map(({ replicate }) => replicate)).toEqual([0, 1, 2]);
  });

  test('text arrives as it was printed', async () => {
    using at = lab(['prints'], { replicates: 1, params: { odd: 'x\u2028y' } });
    const ran = await run(at);
    expect(ran.outcome('lab/baseline').status).toBe('succeeded');
    expect(printed(at)).toEqual(['a\ud800b\0c\u2028d', 'one', 'two', 'no end of line']);
    expect(at.metric('lab/baseline', '\u2028\ud800\0')).toEqual([1]);
  });

  test('of a line that is drawn again and again, what is left at its end is kept', async () => {
    using at = lab(['draws'], { replicates: 1 });
    await run(at);
    expect(printed(at)).toEqual(['| 1000 of 1000', 'of Windows', '100%']);
  });

  test('metrics keep odd names and odd numbers', async () => {
    using at = lab(['odd_names', 'odd_numbers'], { replicates: 2 });
    const ran = await run(at);
    const [, second] = at.manifest('lab/baseline').replicates;
    expect(Object.entries(second?.metrics ?? {})).toEqual([
      ['1', [1]],
      ['__proto__', [1]],
      ['constructor', [1]],
      ['toString', [1]],
      ['', [1]],
      ['odd', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1e308]],
    ]);
    expect(ran.outcome('lab/baseline').manifest?.replicates[1]?.metrics).toEqual(second?.metrics);
  });

  test('ten thousand metrics in one replicate', async () => {
    using at = lab(['many'], { replicates: 2 });
    await run(at);
    const [first] = at.manifest('lab/baseline').replicates;
    expect(Object.keys(first?.metrics ?? {})).toHaveLength(10_000);
    expect(first?.metrics['metric 9999']).toEqual([9999]);
  });

  test('a worker that dies while it loads the modules ends its condition, not each replicate', async () => {
    using at = new Lab(inFolder('lab', worker.endsOnLoad));
    at.write({ 'lab/config.yaml': { datasource: { data: 'source' }, steps: ['record'], replicates: 500 } });
    const ran = await run(at, { workers: 2 });
    expect(ran.failures('lab/baseline')).toEqual([
      `*: the worker process ended: exit code 3 (did a step call ${worker.exit}?)`,
    ]);
  });

  test.each(['sleeps', 'blocks'])(
    '%s: a stopped run is over within a second, and its workers are gone',
    async (step) => {
      using at = lab([step]);
      const stop = new AbortController();
      const running = run(at, { workers: 2, signal: stop.signal });
      const pids = await pidsIn(at.root, 2);
      const stoppedAt = performance.now();
      stop.abort();
      const ran = await running;
      expect(performance.now() - stoppedAt).toBeLessThan(5000);
      expect(ran.outcome('lab/baseline')).toMatchObject({ status: 'aborted', failures: [] });
      expect(pids.filter(isAlive)).toEqual([]);
      expect(at.files('lab/results')).toEqual([]);
    },
  );

  test('a stopped run lets steps see their signal', async () => {
    using at = lab(['obeys']);
    const stop = new AbortController();
    const running = run(at, { signal: stop.signal });
    await pidsIn(at.root, 1);
    stop.abort();
    const ran = await running;
    expect(ran.outcome('lab/baseline').status).toBe('aborted');
    expect(existsSync(join(at.root, 'obeyed_0'))).toBe(true);
  });

  test('what a step has spawned ends with its worker', async () => {
    using at = lab(['spawns'], { replicates: 1, execution: { timeout: '500ms' } });
    const running = run(at);
    const pids = await pidsIn(at.root, 1);
    expect((await running).failures('lab/baseline')).toEqual(['0: timed out after 500 ms in step spawns']);
    await until(() => !pids.some(isAlive));
  });

  test.each(['sleeps', 'blocks'])(
    '%s: workers end when the process that started them is killed',
    async (step) => {
      using at = lab([step]);
      const host = fileURLToPath(new URL('./run-lab.ts', import.meta.url));
      const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url));
      const parent = spawn(process.execPath, [jiti, host, at.root, worker.name], { stdio: 'ignore' });
      const pids = await pidsIn(at.root, 2);
      parent.kill('SIGKILL');
      await until(() => !pids.some(isAlive));
    },
  );

  test('a verifier that never returns times out; the pool goes on', async () => {
    using at = new Lab(inFolder('lab', worker.verifiers));
    const pool = new WorkerPool(1, worker.create);
    const job: Omit<VerifyJob, 'verifier'> = {
      worker: worker.spec,
      root: at.root,
      folder: join(at.root, 'lab'),
      tsconfig: undefined,
      module: join(at.root, 'lab', Object.keys(worker.verifiers)[0] ?? ''),
      baseline: {},
      treatment: {},
    };
    expect(await pool.verify({ ...job, verifier: 'loops' }, 500)).toEqual({
      failure: { reason: 'timed-out', limitMs: 500 },
    });
    const [first, second] = [
      await pool.verify({ ...job, verifier: 'decides' }),
      await pool.verify({ ...job, verifier: 'decides' }),
    ];
    expect(first).toEqual(second);
    await pool.close();
    expect(await pool.verify({ ...job, verifier: 'decides' })).toEqual({ failure: { reason: 'aborted' } });
  });
});

function inFolder(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}

/** Pids that steps have written to files named `pid_<replicate>`, as soon as there are that many. */
async function pidsIn(folder: string, count: number): Promise<number[]> {
  let pids: number[] = [];
  await until(() => {
    const files = readdirSync(folder).filter((name) => name.startsWith('pid_'));
    pids = files.map((name) => Number(readFileSync(join(folder, name), 'utf8'))).filter((pid) => pid > 0);
    return pids.length >= count;
  });
  return pids;
}

async function until(condition: () => boolean): Promise<void> {
  const limit = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > limit) throw new Error('It did not happen within 10 s.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A zombie has ended; its parent only has not asked yet. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    return !/\) Z /.test(stat);
  } catch {
    return false;
  }
}
