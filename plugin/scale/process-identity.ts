import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isAlive } from '../io/is-alive.ts';

/** A process that is not taken for another one that has its number later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** As the system tells it; undefined where it does not. */
  readonly started?: string | undefined;
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: process.platform === 'linux' ? startTicks(pid) : startTime(pid) };
}

export function isRunning({ pid, started }: ProcessIdentity): boolean {
  return isAlive(pid) && identityOf(pid).started === started;
}

/** The name of a process, in parentheses, may hold anything: fields are counted from behind it. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function startTime(pid: number): string | undefined {
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    // By its path: everyone must ask the same program.
    const told = execFileSync('/bin/ps', ['-o', 'lstart=', '-p', `${pid}`], {
      encoding: 'utf8',
      env,
      stdio: [...stdio],
    });
    return told.trim() || undefined;
  } catch {
    return undefined; // it has ended, or there is no ps
  }
}
