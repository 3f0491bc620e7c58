import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { ReplicateError, type RunFailure } from '../runtime/failures.ts';
import type { FunctionLoader } from './function-loader.ts';
import { runSeeded } from './inline-random.ts';
import { errorInfo } from './node/errors.ts';
import { Pipeline } from './node/pipeline.ts';
import { seededMathRandom } from './node/random.ts';
import { Stopping } from './node/stopping.ts';
import { verify } from './node/verify.ts';
import type {
  ConditionJob,
  FromWorker,
  ReplicateJob,
  ToWorker,
  VerifyJob,
  Worker,
  WorkerListener,
} from './protocol.ts';

/** Synchronous steps would otherwise keep timers and signals of this process waiting. */
const YIELD_EVERY_MS = 10;

/**
 * Runs replicates in this process: for functions that no other process can load, and for a debugger. Steps print where
 * the process prints. A synchronous step cannot be interrupted.
 */
export class InlineWorker implements Worker {
  readonly ahead = 0;
  private readonly stopping = new Stopping();
  private readonly pipelines = new Map<string, Promise<Pipeline>>();
  private running: Promise<void> = Promise.resolve();
  private gone = false;
  private yieldedAt = 0;

  /** @param onThrown hears of what the user's code threw, as it was */
  constructor(
    private readonly listener: WorkerListener,
    private readonly loader: FunctionLoader,
    private readonly onThrown: (thrown: unknown) => void = () => {},
  ) {}

  send(message: ToWorker): void {
    switch (message.type) {
      case 'run':
        this.running = this.run(message);
        return;
      case 'verify':
        this.running = this.verify(message.verify);
        return;
      case 'abort':
        this.stopping.begin();
        return;
      case 'end':
        return;
    }
  }

  revoke(): boolean {
    return false;
  }

  close(): Promise<void> {
    return this.stop(0);
  }

  async stop(graceMs: number): Promise<void> {
    this.send({ type: 'abort' });
    await Promise.race([this.running, sleep(graceMs, undefined, { ref: false })]);
    if (this.gone) return;
    this.gone = true;
    this.listener.onExit('it was stopped');
  }

  private tell(message: FromWorker): void {
    if (!this.gone) this.listener.onMessage(message);
  }

  private async run(message: ToWorker & { type: 'run' }): Promise<void> {
    const { job, replicates, concurrency, announce, ticket } = message;
    await nextTurn();
    let pipeline: Pipeline;
    try {
      pipeline = await this.bind(job);
    } catch (thrown) {
      this.tell({ type: 'batch-failed', ticket, failure: this.failureOf(thrown, job.root) });
      return;
    }
    this.tell({ type: 'batch-started', ticket });
    for (const text of pipeline.takeWarnings()) this.tell({ type: 'log', replicate: undefined, text });
    const waiting = [...replicates].reverse();
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined && !this.stopped; next = waiting.pop()) {
        if (announce) this.tell({ type: 'replicate-started', replicate: next.replicate });
        await this.replicate(pipeline, next, job.root);
        await this.breathe();
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, lane));
    this.tell({ type: 'batch-finished', ticket });
  }

  private bind(job: ConditionJob): Promise<Pipeline> {
    const binding = this.pipelines.get(job.id) ?? Pipeline.bind(job, this.loader);
    this.pipelines.set(job.id, binding);
    return binding;
  }

  private async replicate(pipeline: Pipeline, job: ReplicateJob, root: string): Promise<void> {
    const { replicate, seed } = job;
    const startedAt = performance.now();
    const elapsed = (): number => Math.round((performance.now() - startedAt) * 1000) / 1000;
    const log = (text: string): void => this.tell({ type: 'log', replicate, text });
    try {
      const { metrics, artifacts } = await runSeeded(seededMathRandom(seed), () =>
        pipeline.run(job, this.stopping, { log }),
      );
      this.tell({ type: 'replicate-finished', replicate, ms: elapsed(), metrics, artifacts });
    } catch (thrown) {
      const failure = this.failureOf(thrown, root);
      this.tell({ type: 'replicate-failed', replicate, ms: elapsed(), failure });
    }
  }

  private async verify(job: VerifyJob): Promise<void> {
    await nextTurn();
    try {
      const verifier = await this.loader.function(job.module ?? '', job.verifier, job.tsconfig);
      const verdict = await runSeeded(seededMathRandom(0), () => verify(verifier, job));
      this.tell({ type: 'verified', verdict });
    } catch (thrown) {
      this.tell({ type: 'verify-failed', failure: this.failureOf(thrown, job.root) });
    }
  }

  private failureOf(thrown: unknown, root: string): RunFailure {
    this.onThrown(thrown instanceof ReplicateError ? (thrown.cause ?? thrown) : thrown);
    if (thrown instanceof ReplicateError) return thrown.failure;
    return { reason: 'module-threw', file: 'the experiment', error: errorInfo(thrown, root) };
  }

  private get stopped(): boolean {
    return this.gone || this.stopping.begun;
  }

  private async breathe(): Promise<void> {
    if (performance.now() - this.yieldedAt < YIELD_EVERY_MS) return;
    await nextTurn();
    this.yieldedAt = performance.now();
  }
}
