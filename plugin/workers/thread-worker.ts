import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker as Thread } from 'node:worker_threads';
import { type Claims, hasRoom, offer, revoke } from './claims.ts';
import { parseFromWorker, type ToWorker, type Worker, type WorkerListener } from './protocol.ts';
import { type ThreadLimits, takeThread } from './thread-start.ts';

const AHEAD = 12;

/**
 * A thread that runs replicates: it starts in a fraction of the time of a process, can be ended in the middle of an
 * endless loop, and has a memory of its own. It shares the working directory with this process, and goes down with it.
 */
export class ThreadWorker implements Worker {
  private readonly claims: Claims;
  private unsent = '';
  private sent = 0;
  private readonly thread: Thread;
  private readonly exited: Promise<void>;
  private gone = false;
  private how: string | undefined;

  /** @param limits of its memory; those of this process when they are left out */
  constructor(listener: WorkerListener, limits?: ThreadLimits) {
    const { thread, claims } = takeThread(limits);
    this.thread = thread;
    this.claims = claims;
    // What steps print comes as messages.
    for (const stream of [thread.stdout, thread.stderr]) stream.resume();
    thread.on('message', (lines: string) => {
      for (const line of lines.split('\n')) {
        const message = line === '' ? undefined : parseFromWorker(line);
        if (message !== undefined) listener.onMessage(message);
      }
    });
    thread.on('error', (error: NodeJS.ErrnoException) => {
      this.how =
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? 'it ran out of memory. NODE_OPTIONS=--max-old-space-size=<megabytes> gives it more'
          : error.message;
    });
    this.exited = new Promise((resolve) => {
      thread.once('exit', (code) => {
        this.gone = true;
        resolve();
        listener.onExit(this.how ?? `exit code ${code}`);
      });
    });
  }

  /** What was taken back is on its way all the same. */
  get ahead(): number {
    return hasRoom(this.claims, this.sent) ? AHEAD : 0;
  }

  /** What is sent in one go arrives in one go: waking a thread costs more than many a replicate. */
  send(message: ToWorker): void {
    if (message.type === 'run') {
      this.sent++;
      offer(this.claims, message.ticket);
    }
    if (this.unsent === '') queueMicrotask(() => this.flush());
    this.unsent += `${JSON.stringify(message)}\n`;
  }

  revoke(ticket: number): boolean {
    return revoke(this.claims, ticket);
  }

  private flush(): void {
    if (!this.gone) this.thread.postMessage(this.unsent);
    this.unsent = '';
  }

  /** An idle thread holds nothing that anybody would wait for. */
  async close(): Promise<void> {
    this.thread.unref();
    void this.thread.terminate();
  }

  async stop(graceMs: number): Promise<void> {
    if (this.gone) return;
    if (graceMs > 0) {
      this.send({ type: 'abort' });
      await Promise.race([this.exited, sleep(graceMs, undefined, { ref: false })]);
    }
    await this.thread.terminate();
    await this.exited;
  }
}
