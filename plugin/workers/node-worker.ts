import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onLines } from './lines.ts';
import { parseFromWorker, type ToWorker, type Worker, type WorkerListener } from './protocol.ts';

const MAIN = fileURLToPath(new URL('./node-main.js', import.meta.url));
const TAIL_LENGTH = 16_384;
const LAST_WORDS = 5;

/** Pipes that a process outside of the worker's group has inherited stay open when the worker is gone. */
const CLOSE_WITHIN_MS = 500;

/** A worker leads a process group, so that what its steps have spawned ends with it. Windows has no such groups. */
const OWN_GROUP = process.platform !== 'win32';

/** A Node process that runs replicates. */
export class NodeWorker implements Worker {
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private gone = false;
  private tail = '';

  /** @param env for the process; that of this one when it is left out */
  constructor(listener: WorkerListener, env: NodeJS.ProcessEnv = process.env) {
    const child = spawn(process.execPath, [MAIN, String(process.pid)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      detached: OWN_GROUP,
      env: withoutColors(env),
    });
    this.child = child;
    // What bypasses process.stdout, such as a native library or a dying V8, is kept short and shown if the worker dies.
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.keep(chunk.toString('utf8')));
    }
    // Without file descriptors for a process there are no streams; 'error' follows.
    const output = child.stdio?.[4] as Readable | undefined;
    if (output) {
      onLines(output, (line) => {
        const message = parseFromWorker(line);
        if (message === undefined) this.keep(`${line}\n`);
        else listener.onMessage(message);
      });
    }
    this.input?.on('error', () => {}); // a worker that died is reported by its exit
    this.exited = new Promise((resolve) => {
      const settle = (how: string): void => {
        if (this.gone) return;
        this.gone = true;
        for (const stream of child.stdio ?? []) stream?.destroy();
        resolve();
        listener.onExit(how);
      };
      child.once('error', (error) => settle(`it could not be started (${error.message})`));
      // 'close' comes after the last line has been read.
      child.once('close', (code, signal) => settle(this.describeExit(code, signal)));
      child.once('exit', (code, signal) => {
        this.killGroup();
        setTimeout(() => settle(this.describeExit(code, signal)), CLOSE_WITHIN_MS).unref();
      });
    });
  }

  send(message: ToWorker): void {
    this.input?.write(`${JSON.stringify(message)}\n`);
  }

  async stop(graceMs: number): Promise<void> {
    if (graceMs > 0 && !this.gone) {
      this.send({ type: 'abort' });
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([this.exited, grace]);
      clearTimeout(timer);
    }
    if (!this.gone) {
      this.killGroup();
      this.child.kill('SIGKILL');
    }
    await this.exited;
  }

  private killGroup(): void {
    const { pid } = this.child;
    if (!OWN_GROUP || pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nothing of the group is left.
    }
  }

  private get input(): Writable | undefined {
    return (this.child.stdio?.[3] ?? undefined) as Writable | undefined;
  }

  private keep(text: string): void {
    this.tail = (this.tail + text.slice(-TAIL_LENGTH)).slice(-TAIL_LENGTH);
  }

  private describeExit(code: number | null, signal: NodeJS.Signals | null): string {
    if (/heap out of memory|Allocation failed/i.test(this.tail)) {
      return 'it ran out of memory. NODE_OPTIONS=--max-old-space-size=<megabytes> gives it more';
    }
    const how = signal === null ? `exit code ${code} (did a step call process.exit?)` : `signal ${signal}`;
    const last = this.tail.trim().split('\n').slice(-LAST_WORDS).join('\n');
    return last === '' ? how : `${how}; its last words:\n${last}`;
  }
}

/** What steps print goes through a pipe and into a log: Nx's wish for colours is not meant for it. */
function withoutColors({ NO_COLOR: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, FORCE_COLOR: '0' };
}
