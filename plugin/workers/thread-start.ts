import { Worker as Thread } from 'node:worker_threads';
import { packageFile } from '../base/package-files.ts';
import { type Claims, createClaims } from './claims.ts';
import { withoutColors } from './environment.ts';

const MAIN = packageFile('dist/workers/node/main.cjs');

/** A thread that nobody has asked for by then was begun in vain. */
const KEPT_MS = 1000;

export interface ThreadLimits {
  readonly maxOldGenerationSizeMb: number;
}

export interface StartedThread {
  readonly thread: Thread;
  readonly claims: Claims;
}

let begun: StartedThread | undefined;

/**
 * Starts a thread for a run that is likely to come: starting takes as long as reading configs and loading the engine does.
 * It keeps no process alive.
 */
export function beginThread(): void {
  if (begun !== undefined) return;
  const own = start();
  begun = own;
  const { thread } = own;
  thread.unref();
  thread.on('error', () => {}); // told by its exit
  thread.once('exit', () => {
    if (begun === own) begun = undefined;
  });
  setTimeout(() => {
    if (begun !== own) return;
    begun = undefined;
    void thread.terminate();
  }, KEPT_MS).unref();
}

/** @param limits of its memory; those of this process when they are left out */
export function takeThread(limits?: ThreadLimits): StartedThread {
  if (limits !== undefined || begun === undefined) return start(limits);
  const own = begun;
  begun = undefined;
  own.thread.ref();
  return own;
}

function start(limits?: ThreadLimits): StartedThread {
  const claims = createClaims();
  const thread = new Thread(MAIN, {
    env: withoutColors(process.env),
    workerData: claims,
    stdin: false,
    stdout: true,
    stderr: true,
    ...(limits === undefined ? {} : { resourceLimits: limits }),
  });
  return { thread, claims };
}
