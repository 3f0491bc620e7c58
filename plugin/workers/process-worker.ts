import { type ChildProcess, spawn } from 'node:child_process';
import { sep } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { packageFile } from '../base/package-files.ts';
import { withoutColors } from './environment.ts';
import { onLines } from './lines.ts';
import { parseFromWorker, type ToWorker, type Worker, type WorkerListener } from './protocol.ts';

/** Our own part of a stack trace says nothing to a user. */
const OWN_CODE = packageFile('workers/python/');

const TAIL_LENGTH = 16_384;
const LAST_WORDS = 5;

/** Pipes that a process outside of the worker's group has inherited stay open when the worker is gone. */
const CLOSE_WITHIN_MS = 500;

/** An end of the process closes its channel as well, and is heard of soon after. */
const CUT_OFF_MS = 1000;

/** A worker leads a process group, so that what its steps have spawned ends with it. Windows has no such groups. */
const OWN_GROUP = process.platform !== 'win32';

/** How an interpreter is started, and what its end means. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Says more of an end than its exit code does. @param tail the last of what it wrote */
  describeExit(code: number | null, tail: string): { readonly hint: string } | { readonly how: string };
  /** Time for idle steps to let go of what they hold; 0: none holds anything. */
  readonly closeMs: number;
}

/** A process that speaks the protocol on file descriptors 3 and 4. */
export class ProcessWorker implements Worker {
  readonly ahead = 0;
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private gone = false;
  /** Its channel has been closed while it went on. */
  private cutOff = false;
  private tail = '';
  /** Of the workspace: paths below it are shown relative to it. */
  private root = '.';

  constructor(
    listener: WorkerListener,
    private readonly launch: Launch,
  ) {
    const child = spawn(launch.command, [...launch.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      detached: OWN_GROUP,
      env: withoutColors(launch.env),
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
      output.once('end', () => this.endCutOff());
    }
    // A worker that died is reported by its exit. Of a channel that was closed while nothing was written, there is no error.
    this.input?.on('error', () => {});
    this.input?.once('close', () => this.endCutOff());
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
    if (message.type === 'run') this.root = message.job.root;
    this.input?.write(`${JSON.stringify(message)}\n`);
  }

  revoke(): boolean {
    return false;
  }

  async close(): Promise<void> {
    if (this.launch.closeMs > 0) await this.ask({ type: 'end' }, this.launch.closeMs);
    await this.stop(0);
  }

  async stop(graceMs: number): Promise<void> {
    if (graceMs > 0) await this.ask({ type: 'abort' }, graceMs);
    if (!this.gone) {
      this.killGroup();
      this.child.kill('SIGKILL');
    }
    await this.exited;
  }

  /** Sends a message, and waits a while for the process to end. */
  private async ask(message: ToWorker, graceMs: number): Promise<void> {
    if (this.gone) return;
    this.send(message);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([this.exited, grace]);
    clearTimeout(timer);
  }

  /** Steps can close any file descriptor: nothing would ever come of what it still does. */
  private endCutOff(): void {
    setTimeout(() => {
      if (this.gone) return;
      this.cutOff = true;
      void this.stop(0);
    }, CUT_OFF_MS).unref();
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
    if (this.cutOff) return 'it could not be reached any more (did a step close file descriptor 3 or 4?)';
    const described = this.launch.describeExit(code, this.tail);
    if ('how' in described) return described.how;
    const how = signal === null ? `exit code ${code} (${described.hint})` : `signal ${signal}`;
    const last = this.tail
      .trim()
      .split('\n')
      .filter((line) => !line.includes(OWN_CODE))
      .slice(-LAST_WORDS)
      .join('\n')
      .replaceAll(this.root + sep, '');
    return last === '' ? how : `${how}; its last words:\n${last}`;
  }
}
