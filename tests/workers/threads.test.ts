import { describe, expect, test } from 'vitest';
import { workersOf } from '../../plugin/build/workers/create-worker.js';
import { WorkerPool } from '../../plugin/build/workers/pool/worker-pool.js';
import type { CreateWorker, ToWorker, Worker, WorkerSpec } from '../../plugin/build/workers/protocol.js';
import { ThreadWorker } from '../../plugin/build/workers/thread-worker.js';
import { Lab } from '../support/engine.ts';

const DATASOURCES = 'export const source = (ctx) => ctx.replicate;\n';

/** Steps that reach nothing outside of themselves. */
const STEPS = `
const when = (act) => async (data, ctx) => (ctx.replicate === (ctx.params.at ?? 2) ? act(ctx) : data);
const forever = () => new Promise(() => {});
export const record = (data, ctx) => { ctx.metrics.add('value', ctx.replicate); return data; };
export const record_offset = (data, ctx) => { ctx.metrics.add('value', ctx.params.offset); return data; };
export const draws = (data, ctx) => { ctx.metrics.add('drawn', Math.random()); ctx.metrics.add('random', ctx.random()); return data; };
export const loops = when(() => { for (;;); });
export const hangs = when(forever);
export const throws = when(() => { throw new RangeError('too much'); });
export const throws_in_a_timer = when(() => { setTimeout(() => { throw new Error('too late'); }, 5); return forever(); });
export const rejects_unseen = when(() => { Promise.reject(new Error('nobody waits')); return forever(); });
export const overflows = when(function deeper() { return deeper() + 1; });
export const runs_out_of_memory = when(() => { const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length)); });
export const floods = (data) => { for (let i = 0; i < 100_000; i++) console.log('y'.repeat(100)); return data; };
export const prints = (data) => { console.log('one\\ntwo'); console.error('three'); return data; };
export const blocks = () => { for (;;); };
export const obeys = (data, ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', () => { console.log('seen'); resolve(data); }));
export const waits = async (data) => { await new Promise((resolve) => setTimeout(resolve, 20)); return data; };
export const lingers = async (data, ctx) => { await new Promise((resolve) => setTimeout(resolve, ctx.replicate === ctx.params.at ? 1500 : 20)); return data; };
export const computes = (data, ctx) => { let x = ctx.replicate; for (let i = 0; i < 3e7; i++) x = (Math.imul(x, 1664525) + 1013904223) >>> 0; ctx.metrics.add('value', x); return x; };
`;

function lab(steps: readonly string[], settings: Record<string, unknown> = {}): Lab {
  return new Lab({
    'lab/config.yaml': { datasource: { data: 'source' }, steps, replicates: 5, ...settings },
    'lab/datasources.mjs': DATASOURCES,
    'lab/steps.mjs': STEPS,
  });
}

/** Workers as usual, with a note of each that was made, and of what it was sent. */
function watched(limits?: { readonly maxOldGenerationSizeMb: number }) {
  const usual = workersOf();
  const made: WorkerSpec['type'][] = [];
  const create: CreateWorker = (listener, spec) => {
    made.push(spec.type);
    return spec.type === 'thread' && limits ? new ThreadWorker(listener, limits) : usual(listener, spec);
  };
  return { create, made };
}

/** The files of that many experiments, e0 and on. */
function many(count: number, configOf: (i: number) => Record<string, unknown>) {
  const files = Array.from({ length: count }, (_, i) => [
    [`e${i}/config.yaml`, configOf(i)],
    [`e${i}/datasources.mjs`, DATASOURCES],
    [`e${i}/steps.mjs`, STEPS],
  ]);
  return Object.fromEntries(files.flat());
}

/** A thread, and the replicates that it has finished. */
function finishing() {
  const finished: number[] = [];
  const worker = new ThreadWorker({
    onMessage: (message) => {
      if (message.type === 'replicate-finished') finished.push(message.replicate);
    },
    onExit: () => {},
  });
  return { worker, finished };
}

/** Some of what it is sent does not reach the worker, while there is more to come. */
function losing(worker: Worker, lost: number[]): Worker {
  return {
    get ahead() {
      return worker.ahead;
    },
    send(message) {
      const isLost = message.type === 'run' && message.ticket % 7 === 3 && message.ticket < 40;
      if (isLost) lost.push(message.ticket);
      else worker.send(message);
    },
    revoke: (ticket) => !lost.includes(ticket) && worker.revoke(ticket),
    close: () => worker.close(),
    stop: (graceMs) => worker.stop(graceMs),
  };
}

describe('code that reaches nothing but itself', () => {
  test('runs in threads, and comes to the same results as in a process', async () => {
    using threads = lab(['draws', 'record'], { replicates: 40 });
    const { create, made } = watched();
    await threads.run({ createWorker: create });
    expect(new Set(made)).toEqual(new Set(['thread']));
    using processes = lab(['draws', 'record'], { replicates: 40 });
    // One word is enough.
    processes.write({ 'lab/steps.mjs': `${STEPS}// process\n` });
    const other = watched();
    await processes.run({ createWorker: other.create });
    expect(new Set(other.made)).toEqual(new Set(['node']));
    expect(threads.snapshot()).toEqual(processes.snapshot());
  });

  test('does not start a worker for each core when there is little to do', async () => {
    using at = lab(['record'], { replicates: 1, treatments: { a: {}, b: {}, c: {} } });
    const { create, made } = watched();
    await at.run({ createWorker: create, workers: 4 });
    expect(made).toEqual(['thread']);
  });

  test('uses every worker that it may when there is much to do', async () => {
    using at = lab(['computes'], { replicates: 60 });
    const { create, made } = watched();
    await at.run({ createWorker: create, workers: 2 });
    expect(made).toEqual(['thread', 'thread']);
    expect(at.metric('lab/baseline', 'value')).toHaveLength(60);
  });

  test('uses a second worker for few replicates that take long', async () => {
    using at = lab(['waits', 'waits', 'waits', 'waits', 'waits', 'waits', 'waits', 'waits'], {
      replicates: 6,
    });
    const { create, made } = watched();
    await at.run({ createWorker: create, workers: 2 });
    expect(made).toEqual(['thread', 'thread']);
  });

  test.each([
    ['throws', '2: step throws threw RangeError: too much'],
    [
      'throws_in_a_timer',
      '2: an error that no step caught, in a timer or a promise that was not awaited, ended the worker process: Error: too late',
    ],
    [
      'rejects_unseen',
      '2: an error that no step caught, in a timer or a promise that was not awaited, ended the worker process: Error: nobody waits',
    ],
    ['overflows', '2: step overflows threw RangeError: Maximum call stack size exceeded'],
  ])('%s fails its replicate alone', async (step, message) => {
    using at = lab([step, 'record']);
    const ran = await at.run({ workers: 2 });
    expect(ran.failures('lab/baseline')).toEqual([message]);
    expect(at.metric('lab/baseline', 'value')).toEqual([0, 1, 3, 4]);
  });

  test('a replicate that runs out of memory fails alone, and this process goes on', async () => {
    using at = lab(['runs_out_of_memory', 'record']);
    const ran = await at.run({ createWorker: watched({ maxOldGenerationSizeMb: 64 }).create });
    expect(ran.failures('lab/baseline')).toEqual([
      '2: the worker process ended: it ran out of memory. NODE_OPTIONS=--max-old-space-size=<megabytes> gives it more',
    ]);
    expect(at.metric('lab/baseline', 'value')).toEqual([0, 1, 3, 4]);
  });

  test.each(['loops', 'hangs'])('%s is stopped by its timeout', async (step) => {
    using at = lab([step, 'record'], { execution: { timeout: '300ms' } });
    const ran = await at.run();
    expect(ran.failures('lab/baseline')).toEqual([`2: timed out after 300 ms in step ${step}`]);
    expect(at.metric('lab/baseline', 'value')).toEqual([0, 1, 3, 4]);
  });

  test('what it prints is in the log of its replicate, and no more than that', async () => {
    using at = lab(['prints'], { replicates: 1 });
    await at.run();
    expect(at.log('lab/baseline').flatMap(({ type, text }) => (type === 'log' ? [text] : []))).toEqual([
      'one',
      'two',
      'three',
    ]);
    using flooded = lab(['floods'], { replicates: 1 });
    await flooded.run();
    expect(flooded.log('lab/baseline').filter(({ type }) => type === 'log')).toHaveLength(200);
  });

  test.each(['blocks', 'hangs'])('a run that is stopped while a step %s ends soon', async (step) => {
    using at = lab([step], { params: { at: 0 }, replicates: 1 });
    const stop = new AbortController();
    const running = at.run({ signal: stop.signal });
    setTimeout(() => stop.abort(), 300);
    const ran = await running;
    expect(ran.outcome('lab/baseline').status).toBe('aborted');
    expect(at.files('lab/results')).toEqual([]);
  });
});

describe('runs that are sent ahead', () => {
  const QUICK = { datasource: { data: 'source' }, steps: ['record'], replicates: 3 };

  test('one that takes long does not keep those behind it waiting while another worker could run them', async () => {
    using at = new Lab({
      ...Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => [`quick${i}/config.yaml`, QUICK]).flatMap(([path, config]) => [
          [path, config],
          [(path as string).replace('config.yaml', 'datasources.mjs'), DATASOURCES],
          [(path as string).replace('config.yaml', 'steps.mjs'), STEPS],
        ]),
      ),
      'slow/config.yaml': { datasource: { data: 'source' }, steps: ['computes'], replicates: 12 },
      'slow/datasources.mjs': DATASOURCES,
      'slow/steps.mjs': STEPS,
    });
    const { create, made } = watched();
    const ran = await at.run({ createWorker: create, workers: 2 });
    expect(ran.outcomes.every(({ status }) => status === 'succeeded')).toBe(true);
    expect(made).toEqual(['thread', 'thread']);
    expect(at.metric('slow/baseline', 'value')).toHaveLength(12);
  });

  test('what waits behind a long one is taken over by a worker with nothing to do', async () => {
    using at = lab(['lingers'], { replicates: 40, params: { at: 37 } });
    const ran = await at.run({ workers: 2 });
    const finished = ran.events.flatMap((event) =>
      event.type === 'replicate-finished' ? [event.replicate] : [],
    );
    expect(finished.at(-1)).toBe(37);
    expect(finished.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, replicate) => replicate));
  });

  test('each is run once, or taken back once', async () => {
    using at = lab(['record']);
    const { worker, finished } = finishing();
    for (let ticket = 0; ticket < 10; ticket++) worker.send(runOf(at.root, ticket));
    const taken = [9, 7, 8].filter((ticket) => worker.revoke(ticket));
    expect(taken.some((ticket) => worker.revoke(ticket))).toBe(false);
    while (finished.length < 10 - taken.length) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await (worker as Worker).stop(0);
    expect([...finished, ...taken].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('what is taken back stays so however much of it there is: a thread that is busy is sent no more than it can tell apart', async () => {
    using at = lab(['record']);
    const { worker, finished } = finishing();
    let sent = 0;
    while (worker.ahead > 0) {
      worker.send(runOf(at.root, sent));
      if (sent > 0) expect(worker.revoke(sent)).toBe(true);
      sent++;
    }
    expect(sent).toBeGreaterThan(8);
    while (worker.ahead === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (; sent < 200; sent++) {
      while (worker.ahead === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      worker.send(runOf(at.root, sent));
      worker.revoke(sent);
    }
    worker.send(runOf(at.root, 200));
    while (!finished.includes(200)) await new Promise((resolve) => setTimeout(resolve, 5));
    await worker.stop(0);
    expect(finished).toEqual([0, 200]);
  });

  test('one that never arrives runs again, and no other has the results of the one behind it', async () => {
    using at = new Lab(many(60, (i) => ({ ...QUICK, steps: ['record_offset'], params: { offset: i } })));
    const lost: number[] = [];
    const create: CreateWorker = (listener) => losing(new ThreadWorker(listener), lost);
    const ran = await at.run({ workers: 1, createWorker: create });
    expect(lost.length).toBeGreaterThan(3);
    expect(ran.outcomes.every(({ status }) => status === 'succeeded')).toBe(true);
    for (let i = 0; i < 60; i++) expect(at.metric(`e${i}/baseline`, 'value')).toEqual([i, i, i]);
  });

  test('a worker that ends takes no run with it', async () => {
    using at = new Lab(
      many(20, (i) => ({ ...QUICK, steps: i === 7 ? ['throws_in_a_timer', 'record'] : ['record'] })),
    );
    const ran = await at.run({ workers: 1 });
    const failed = ran.outcomes
      .filter(({ status }) => status !== 'succeeded')
      .map(({ planned }) => planned.id);
    expect(failed).toEqual(['e7/baseline']);
    expect(at.manifest('e7/baseline').failed.map(({ replicate }) => replicate)).toEqual([2]);
  });
});

function runOf(root: string, replicate: number): ToWorker {
  const folder = `${root}/lab`;
  return {
    type: 'run',
    job: {
      id: 'lab/baseline',
      worker: { type: 'thread' },
      experiment: 'lab',
      condition: 'baseline',
      root,
      folder,
      tsconfig: undefined,
      modules: {
        datasources: `${folder}/datasources.mjs`,
        steps: `${folder}/steps.mjs`,
        outputs: undefined,
      },
      context: {},
      sources: [{ type: 'function', alias: 'data', name: 'source', args: {} }],
      bareSource: true,
      steps: [{ name: 'record', args: {} }],
      outputs: [],
      artifacts: `${root}/artifacts`,
    },
    replicates: [{ replicate, seed: replicate }],
    concurrency: 1,
    announce: false,
    ticket: replicate,
  };
}

test('a pool that is closed starts nothing ahead', async () => {
  const { create, made } = watched();
  const pool = new WorkerPool(2, create);
  await pool.close();
  pool.warm({ type: 'thread' });
  expect(made).toEqual([]);
});
