import { AsyncLocalStorage } from 'node:async_hooks';
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker as Thread } from 'node:worker_threads';
import { ReplicateError, type RunFailure } from '../runtime/failures.ts';
import { spellNonFinite } from '../runtime/manifest.ts';
import { errorInfo } from './node-errors.ts';
import { ModuleLoader } from './node-loader.ts';
import { Pipeline } from './node-pipeline.ts';
import { seededMathRandom } from './node-random.ts';
import { verify } from './node-verify.ts';
import type { FromWorker, ReplicateJob, ToWorker, VerifyJob } from './protocol.ts';

/** Messages come in on file descriptor 3 and go out on 4, one JSON text a line; stdout and stderr stay the user's. */
const FROM_PARENT = 3;
const TO_PARENT = 4;

/** Lines that one replicate may print before the rest is dropped. */
const MAX_LOG_LINES = 200;
const MAX_LOG_LINE = 2000;

type RunMessage = ToWorker & { type: 'run' };

/** The replicate that code runs for; with interleaved replicates the async context tells them apart. */
interface Current {
  readonly replicate: number;
  readonly mathRandom: () => number;
  logged: number;
}

const interleaved = new AsyncLocalStorage<Current>();
let alone: Current | undefined;
const current = (): Current | undefined => interleaved.getStore() ?? alone;

const aborting = new AbortController();
let loader: ModuleLoader | undefined;
const pipelines = new Map<string, Promise<Pipeline>>();

/** Synchronous, so that nothing is lost when a step ends the process. */
function send(message: FromWorker): void {
  let bytes = Buffer.from(`${JSON.stringify(message, spellNonFinite)}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(TO_PARENT, bytes));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(1);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

async function run(message: RunMessage): Promise<void> {
  const { job } = message;
  loader ??= new ModuleLoader(job.root);
  process.chdir(job.folder);
  let pipeline: Pipeline;
  try {
    let binding = pipelines.get(job.id);
    if (binding === undefined) {
      binding = Pipeline.bind(job, loader);
      pipelines.set(job.id, binding);
    }
    pipeline = await binding;
  } catch (thrown) {
    send({ type: 'batch-failed', failure: failureOf(thrown, job.root) });
    return;
  }
  const waiting = [...message.replicates].reverse();
  const lane = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      await runReplicate(pipeline, next, message);
    }
  };
  await Promise.all(Array.from({ length: Math.min(message.concurrency, waiting.length) }, lane));
  send({ type: 'batch-finished' });
}

async function runReplicate(pipeline: Pipeline, job: ReplicateJob, message: RunMessage): Promise<void> {
  const { replicate, seed } = job;
  const state: Current = { replicate, mathRandom: seededMathRandom(seed), logged: 0 };
  if (message.announce) send({ type: 'replicate-started', replicate });
  const startedAt = performance.now();
  const elapsed = (): number => Math.round((performance.now() - startedAt) * 1000) / 1000;
  const body = () => pipeline.run(job, aborting.signal, (text) => print(state, text));
  try {
    alone = message.concurrency > 1 ? undefined : state;
    const { metrics, artifacts } = await (message.concurrency > 1 ? interleaved.run(state, body) : body());
    send({ type: 'replicate-finished', replicate, ms: elapsed(), metrics, artifacts });
  } catch (thrown) {
    send({
      type: 'replicate-failed',
      replicate,
      ms: elapsed(),
      failure: failureOf(thrown, message.job.root),
    });
  }
}

function failureOf(thrown: unknown, root: string): RunFailure {
  if (thrown instanceof ReplicateError) return thrown.failure;
  return { reason: 'module-threw', file: 'the worker', error: errorInfo(thrown, root) };
}

async function runVerifier(job: VerifyJob): Promise<void> {
  loader ??= new ModuleLoader(job.root);
  try {
    process.chdir(job.folder);
    if (job.module === undefined) {
      throw new ReplicateError({
        reason: 'module-missing',
        module: 'verifiers',
        folder: relative(job.root, job.folder),
      });
    }
    const verifier = await loader.function(job.module, job.verifier, job.tsconfig);
    send({ type: 'verified', verdict: await verify(verifier, job) });
  } catch (thrown) {
    send({ type: 'verify-failed', failure: failureOf(thrown, job.root) });
  }
}

function print(state: Current | undefined, text: string): void {
  if (state === undefined) {
    send({ type: 'log', replicate: undefined, text: text.slice(0, MAX_LOG_LINE) });
    return;
  }
  state.logged++;
  if (state.logged > MAX_LOG_LINES) return;
  const shown = state.logged === MAX_LOG_LINES ? '(further lines of this replicate are dropped)' : text;
  send({ type: 'log', replicate: state.replicate, text: shown.slice(0, MAX_LOG_LINE) });
}

/** What steps print becomes log messages of their replicate, line by line. */
function captureOutput(stream: NodeJS.WriteStream): void {
  let partial = '';
  stream.write = ((chunk: Uint8Array | string, encoding?: unknown, callback?: unknown) => {
    partial += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    const lines = partial.split('\n');
    partial = (lines.pop() ?? '').slice(-MAX_LOG_LINE);
    for (const line of lines) print(current(), line);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done as () => void);
    return true;
  }) as typeof stream.write;
}

function handle(message: ToWorker): void {
  switch (message.type) {
    case 'run':
      void run(message);
      return;
    case 'verify':
      void runVerifier(message.verify);
      return;
    case 'abort':
      aborting.abort(new Error('The run was stopped.'));
      return;
  }
}

/** A step in an endless loop never sees that the parent is gone: a thread of its own looks after that. */
function dieWithParent(): void {
  const parent = process.ppid;
  const code = `setInterval(() => { if (process.ppid !== ${parent}) process.kill(process.pid, 'SIGKILL'); }, 500);`;
  new Thread(code, { eval: true, stdin: false }).unref();
}

process.setSourceMapsEnabled(true);
process.on('SIGINT', () => {}); // the parent decides what Ctrl-C means
process.on('uncaughtException', (thrown) => {
  send({ type: 'uncaught', error: errorInfo(thrown, process.cwd()) });
  process.exit(1);
});
captureOutput(process.stdout);
captureOutput(process.stderr);
const mathRandom = Math.random;
Math.random = () => (current()?.mathRandom ?? mathRandom)();

const input = new Socket({ fd: FROM_PARENT, readable: true, writable: false });
createInterface({ input }).on('line', (line) => handle(JSON.parse(line) as ToWorker));
input.on('close', () => process.exit(0));
dieWithParent();
