import { expect, test } from 'vitest';
import { WorkerPool } from '../../plugin/build/workers/pool/worker-pool.js';
import type { FromWorker, ToWorker, Worker, WorkerListener } from '../../plugin/build/workers/protocol.js';

type Run = ToWorker & { readonly type: 'run' };

/** Does nothing by itself: the test answers what it was sent. */
class Passive implements Worker {
  readonly ahead = 12;
  readonly runs: Run[] = [];

  constructor(private readonly listener: WorkerListener) {}

  send(message: ToWorker): void {
    if (message.type === 'run') this.runs.push(message);
  }

  revoke(ticket: number): boolean {
    const at = this.runs.findIndex((run) => run.ticket === ticket);
    if (at > 0) this.runs.splice(at, 1);
    return at > 0;
  }

  async close(): Promise<void> {
    this.listener.onExit('it was closed');
  }

  stop(): Promise<void> {
    return this.close();
  }

  tell(...messages: readonly FromWorker[]): void {
    for (const message of messages) this.listener.onMessage(message);
  }

  /** The first run that it has comes to an end. */
  finish(): void {
    const { ticket, replicates } = this.runs.shift() as Run;
    this.tell({ type: 'batch-started', ticket });
    for (const { replicate } of replicates)
      this.tell({ type: 'replicate-finished', replicate, ms: 0, metrics: {}, artifacts: {} });
    this.tell({ type: 'batch-finished', ticket });
  }
}

/** A condition of an experiment of its own, and what becomes of it. */
function condition(name: string, replicates: number) {
  const told: string[] = [];
  const work = {
    job: { id: `${name}/baseline`, experiment: name, worker: { type: 'thread' } },
    replicates: Array.from({ length: replicates }, (_, replicate) => ({ replicate, seed: replicate })),
    workers: 2,
    concurrency: 1,
    timeoutMs: undefined,
    retries: 0,
  } as unknown as Parameters<WorkerPool['run']>[0];
  const sink: Parameters<WorkerPool['run']>[1] = {
    finished: ({ replicate }) => told.push(`finished ${replicate}`),
    failed: (replicate) => told.push(`failed ${replicate}`),
    conditionFailed: ({ reason }) => told.push(`could not run: ${reason}`),
    log: () => {},
    began: () => {},
    observed: () => {},
  };
  return { told, work, sink };
}

test('a condition that cannot run is over, though some of it lies with a worker that is busy with another one', async () => {
  const workers: Passive[] = [];
  const pool = new WorkerPool(2, (listener) => {
    const worker = new Passive(listener);
    workers.push(worker);
    return worker;
  });
  const [quick, long, broken] = [condition('quick', 1), condition('long', 1), condition('broken', 40)];
  const quickly = pool.run(quick.work, quick.sink);
  workers[0]?.finish();
  await quickly;
  const atLength = pool.run(long.work, long.sink);
  const inVain = pool.run(broken.work, broken.sink);
  const experiments = workers.map(({ runs }) => new Set(runs.map(({ job }) => job.experiment)));
  expect(experiments).toEqual([new Set(['long', 'broken']), new Set(['broken'])]);
  const [first] = workers[1]?.runs ?? [];
  workers[1]?.tell({ type: 'batch-failed', ticket: first?.ticket ?? -1, failure: { reason: 'aborted' } });
  await inVain;
  expect(broken.told).toEqual(['could not run: aborted']);
  expect(long.told).toEqual([]);
  workers[0]?.finish();
  await atLength;
  expect(long.told).toEqual(['finished 0']);
  await pool.close();
});
