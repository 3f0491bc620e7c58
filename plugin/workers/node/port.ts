import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker as Thread, workerData } from 'node:worker_threads';
import { late } from '../../base/late.ts';
import { type Claims, takeUp } from '../claims.ts';
import { onLines } from '../lines.ts';

/** Only a process reads a pipe. */
const net = late<typeof import('node:net')>('node:net');

/** Messages come in on file descriptor 3 and go out on 4, one JSON text a line; stdout and stderr stay the user's. */
const FROM_PARENT = 3;
const TO_PARENT = 4;

/** The parent makes this process the leader of a group, where there are groups. */
const OWN_GROUP = process.platform !== 'win32';

/** How what runs replicates talks to who asked for them. */
export interface Port {
  /** The process runs nothing else: its working directory and its signals belong to the replicates. */
  readonly ownsProcess: boolean;
  /** Sends lines, each with its end. Nothing is lost when a step ends the process right after it. */
  send(lines: string): void;
  /** Whether a run that was sent is still to be done here. */
  claim(ticket: number): boolean;
  /** @param onLine hears of each line that comes in */
  listen(onLine: (line: string) => void): void;
}

/** That of the process that this is, or of this thread of one. */
export function openPort(): Port {
  return isMainThread || parentPort === null ? new PipePort() : new ThreadPort(parentPort);
}

class ThreadPort implements Port {
  readonly ownsProcess = false;

  constructor(private readonly port: NonNullable<typeof parentPort>) {}

  send(lines: string): void {
    this.port.postMessage(lines);
  }

  claim(ticket: number): boolean {
    return takeUp(workerData as Claims, ticket);
  }

  listen(onLine: (line: string) => void): void {
    this.port.on('message', (lines: string) => {
      for (const line of lines.split('\n')) if (line !== '') onLine(line);
    });
  }
}

class PipePort implements Port {
  readonly ownsProcess = true;

  send(lines: string): void {
    // The line break in front ends whatever the user's code may have written to this file descriptor.
    let bytes = Buffer.from(`\n${lines}`);
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(TO_PARENT, bytes));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPIPE') dieWithGroup();
        if (code !== 'EAGAIN') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  }

  claim(): boolean {
    return true;
  }

  listen(onLine: (line: string) => void): void {
    process.on('SIGINT', () => {}); // the parent decides what Ctrl-C means
    const input = new (net().Socket)({ fd: FROM_PARENT, readable: true, writable: false });
    onLines(input, onLine);
    input.on('close', dieWithGroup);
    dieWithParent(Number(process.argv[2]));
  }
}

/** With all that its steps have spawned. */
function dieWithGroup(): void {
  process.kill(OWN_GROUP ? -process.pid : process.pid, 'SIGKILL');
}

/** A step in an endless loop never sees that the parent is gone: a thread of its own looks after that. */
function dieWithParent(parent: number): void {
  const target = OWN_GROUP ? -process.pid : process.pid;
  const code = `setInterval(() => { if (process.ppid !== ${parent}) process.kill(${target}, 'SIGKILL'); }, 250);`;
  new Thread(code, { eval: true, stdin: false }).unref();
}
