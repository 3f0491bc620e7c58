import { AsyncLocalStorage } from 'node:async_hooks';
import { relative } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { ReplicateError, type RunFailure } from '../../runtime/failures.ts';
import { stringifyWithMetrics } from '../../runtime/manifest.ts';
import type { ConditionJob, FromWorker, ReplicateJob, ToWorker, VerifyJob } from '../protocol.ts';
import { collectDefinitions } from './definitions.ts';
import { errorInfo } from './errors.ts';
import { ModuleLoader } from './loader.ts';
import { FileObserver } from './observe.ts';
import { Pipeline, type ReplicateListener } from './pipeline.ts';
import { openPort } from './port.ts';
import { seededMathRandom } from './random.ts';
import { Stopping } from './stopping.ts';
import { verify } from './verify.ts';

/** Answers of fast replicates are sent together; none waits longer than this while others finish. */
const SEND_EVERY_MS = 5;
const SEND_LENGTH = 65_536;

/** Lines that one replicate may print before the rest is dropped. */
const MAX_LOG_LINES = 200;
const MAX_LOG_LINE = 2000;

type RunMessage = ToWorker & { type: 'run' };

/** What code runs for: a replicate, or none; with interleaved replicates the async context tells them apart. */
interface Current {
  readonly replicate: number | undefined;
  readonly mathRandom: () => number;
  logged: number;
  /** Printed since the last end of a line. */
  line: string;
}

const unseeded = Math.random;
const seeded = (): number => current().mathRandom();
const interleaved = new AsyncLocalStorage<Current>();
let alone = outsideOfReplicates();
const current = (): Current => interleaved.getStore() ?? alone;

const port = openPort();
const observer = new FileObserver();
const stopping = new Stopping();
let loader: ModuleLoader | undefined;
const pipelines = new Map<string, Promise<Pipeline>>();
/** Messages may come ahead of their time: one runs after the other. */
let running: Promise<void> = Promise.resolve();
let waiting = 0;

function outsideOfReplicates(mathRandom: () => number = unseeded): Current {
  return { replicate: undefined, mathRandom, logged: 0, line: '' };
}

/** Code may have put another one in its place: what runs next, also of other experiments, would draw from that. */
function seedMathRandom(): void {
  if (Math.random !== seeded) Math.random = seeded;
}

let unsent = '';
let sentAt = 0;

/** Answers of a replicate may wait for the next message; a crash that loses them costs only that they run again. */
function send(message: FromWorker): void {
  if (message.type === 'replicate-finished') {
    unsent += `${stringifyWithMetrics(message, message.metrics)}\n`;
    if (unsent.length < SEND_LENGTH && performance.now() - sentAt < SEND_EVERY_MS) return;
  } else unsent += `${JSON.stringify(message)}\n`;
  // The next run follows at once, and says so.
  if (message.type === 'batch-finished' && waiting > 0) return;
  flush();
}

function flush(): void {
  if (unsent === '') return;
  const lines = unsent;
  unsent = '';
  port.send(lines);
  sentAt = performance.now();
}

/** Each condition is bound once. */
function bind(job: ConditionJob, modules: ModuleLoader): Promise<Pipeline> {
  const binding = pipelines.get(job.id) ?? Pipeline.bind(job, modules);
  pipelines.set(job.id, binding);
  return binding;
}

async function run(message: RunMessage): Promise<void> {
  waiting--;
  const { job, ticket } = message;
  if (!port.claim(ticket)) {
    send({ type: 'batch-skipped', ticket });
    return;
  }
  // Loading modules may take long, or end all of this.
  if (!pipelines.has(job.id)) flush();
  alone = outsideOfReplicates();
  if (port.ownsProcess) process.chdir(job.folder);
  let pipeline: Pipeline;
  try {
    observer.enter(job.experiment);
    seedMathRandom();
    loader ??= new ModuleLoader(job.root);
    pipeline = await bind(job, loader);
  } catch (thrown) {
    tellReads();
    send({ type: 'batch-failed', ticket, failure: failureOf(thrown, job.root) });
    return;
  }
  send({ type: 'batch-started', ticket });
  for (const text of pipeline.takeWarnings()) send({ type: 'log', replicate: undefined, text });
  const jobs = [...message.replicates].reverse();
  const lane = async (): Promise<void> => {
    for (let next = jobs.pop(); next !== undefined && !stopping.begun; next = jobs.pop()) {
      await runReplicate(pipeline, next, message);
    }
  };
  await Promise.all(Array.from({ length: Math.min(message.concurrency, jobs.length) }, lane));
  send({ type: 'batch-finished', ticket });
}

async function runReplicate(pipeline: Pipeline, job: ReplicateJob, message: RunMessage): Promise<void> {
  const { replicate, seed } = job;
  const state: Current = { replicate, mathRandom: seededMathRandom(seed), logged: 0, line: '' };
  if (message.announce) send({ type: 'replicate-started', replicate });
  const startedAt = performance.now();
  const elapsed = (): number => Math.round((performance.now() - startedAt) * 1000) / 1000;
  const listener: ReplicateListener = {
    log: (text) => print(state, text),
    ...(message.announce ? { enter: (call) => send({ type: 'call-started', replicate, call }) } : {}),
  };
  const body = () => pipeline.run(job, stopping, listener);
  try {
    seedMathRandom();
    if (message.concurrency === 1) {
      alone = state;
      // A replicate before may have gone elsewhere.
      if (port.ownsProcess && process.cwd() !== message.job.folder) process.chdir(message.job.folder);
    }
    const { metrics, artifacts } = await (message.concurrency > 1 ? interleaved.run(state, body) : body());
    endLine(state);
    tellReads();
    send({ type: 'replicate-finished', replicate, ms: elapsed(), metrics, artifacts });
  } catch (thrown) {
    endLine(state);
    tellReads();
    const failure = failureOf(thrown, message.job.root);
    send({ type: 'replicate-failed', replicate, ms: elapsed(), failure });
  }
}

/** Also of what fails: modules may have kept what it has read, for those that succeed. */
function tellReads(): void {
  const reads = observer.take();
  if (reads.length > 0) send({ type: 'observed', reads });
}

function failureOf(thrown: unknown, root: string): RunFailure {
  if (thrown instanceof ReplicateError) return thrown.failure;
  return { reason: 'module-threw', file: 'the worker', error: errorInfo(thrown, root) };
}

async function runVerifier(job: VerifyJob): Promise<void> {
  loader ??= new ModuleLoader(job.root);
  alone = outsideOfReplicates(seededMathRandom(0));
  try {
    if (port.ownsProcess) process.chdir(job.folder);
    if (job.module === undefined) {
      throw new ReplicateError({
        reason: 'module-missing',
        module: 'verifiers',
        folder: relative(job.root, job.folder),
      });
    }
    const verifier = await loader.function(job.module, job.verifier, job.tsconfig);
    seedMathRandom();
    send({ type: 'verified', verdict: await verify(verifier, job) });
  } catch (thrown) {
    send({ type: 'verify-failed', failure: failureOf(thrown, job.root) });
  }
}

function print(state: Current, text: string): void {
  state.logged++;
  if (state.logged > MAX_LOG_LINES) return;
  const shown =
    state.logged === MAX_LOG_LINES ? '(further lines are dropped)' : redrawn(text).replace(/\r+$/, '');
  send({ type: 'log', replicate: state.replicate, text: shown.slice(0, MAX_LOG_LINE) });
}

/** Prints what was written without an end of line. */
function endLine(state: Current): void {
  const { line } = state;
  state.line = '';
  if (line !== '') print(state, line);
}

/** What a terminal would show: progress bars begin their line anew with each carriage return. */
function redrawn(line: string): string {
  return line.slice(line.replace(/\r+$/, '').lastIndexOf('\r') + 1);
}

/** What steps print becomes log messages of their replicate, line by line. */
function captureOutput(stream: NodeJS.WriteStream): void {
  const decoder = new StringDecoder('utf8');
  stream.write = ((chunk: Uint8Array | string, encoding?: unknown, callback?: unknown) => {
    const state = current();
    const text = typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk));
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      const line = state.line + text.slice(from, end);
      state.line = '';
      from = end + 1;
      print(state, line);
    }
    state.line = redrawn(state.line + text.slice(from)).slice(0, MAX_LOG_LINE);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done as () => void);
    return true;
  }) as typeof stream.write;
}

function handle(message: ToWorker): void {
  switch (message.type) {
    case 'run':
      waiting++;
      running = running.then(() => run(message));
      return;
    case 'verify':
      void runVerifier(message.verify);
      return;
    case 'abort':
      flush();
      stopping.begin();
      return;
    case 'end':
      return;
  }
}

process.setSourceMapsEnabled(true);
process.on('uncaughtException', (thrown) => {
  send({ type: 'uncaught', error: errorInfo(thrown, loader?.root ?? process.cwd()) });
  process.exit(1);
});
process.on('exit', () => {
  endLine(current());
  flush();
});
collectDefinitions();
captureOutput(process.stdout);
captureOutput(process.stderr);
seedMathRandom();

port.listen((line) => handle(JSON.parse(line) as ToWorker));
