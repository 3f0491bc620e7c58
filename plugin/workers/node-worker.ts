import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker, Worker, WorkerListener } from './protocol.ts';

const MAIN = fileURLToPath(new URL('./node-main.js', import.meta.url));
const TAIL_LENGTH = 16_384;

/** A Node process that runs replicates. */
export class NodeWorker implements Worker {
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private uncaught = '';
  private tail = '';

  constructor(listener: WorkerListener) {
    this.child = spawn(process.execPath, [MAIN], { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] });
    const { stdout, stderr } = this.child;
    // What bypasses process.stdout, such as a native library or a dying V8, is kept short and shown if the worker dies.
    for (const stream of [stdout, stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.tail = (this.tail + chunk.toString('utf8')).slice(-TAIL_LENGTH);
      });
    }
    const output = this.child.stdio[4] as Readable;
    const lines = createInterface({ input: output });
    lines.on('line', (line) => {
      const message = JSON.parse(line) as FromWorker;
      if (message.type === 'uncaught')
        this.uncaught = `${message.error.name}: ${message.error.message}\n${message.error.stack}`;
      else listener.onMessage(message);
    });
    this.input.on('error', () => {}); // a worker that died is reported by its exit
    this.exited = new Promise((resolve) => {
      let how: string | undefined;
      const settle = (text: string): void => {
        if (how !== undefined) return;
        how = text;
        resolve();
        listener.onExit(text);
      };
      this.child.once('error', (error) => settle(`it could not be started: ${error.message}`));
      // 'close' comes after the last line has been read.
      this.child.once('close', (code, signal) => settle(this.describeExit(code, signal)));
    });
  }

  send(message: ToWorker): void {
    this.input.write(`${JSON.stringify(message)}\n`);
  }

  async stop(graceMs: number): Promise<void> {
    if (graceMs > 0) {
      this.send({ type: 'abort' });
      const timer = new Promise((resolve) => setTimeout(resolve, graceMs));
      await Promise.race([this.exited, timer]);
    }
    this.child.kill('SIGKILL');
    await this.exited;
  }

  private get input(): Writable {
    return this.child.stdio[3] as Writable;
  }

  private describeExit(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.uncaught !== '') return `an error outside of any step: ${this.uncaught.trim()}`;
    if (/heap out of memory|Allocation failed/i.test(this.tail)) return 'it ran out of memory';
    const last = this.tail.trim().split('\n').slice(-5).join('\n');
    const how = signal === null ? `exit code ${code} (did a step call process.exit?)` : `signal ${signal}`;
    return last === '' ? how : `${how}; its last words:\n${last}`;
  }
}
