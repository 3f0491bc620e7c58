import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isObject } from '../base/json.ts';
import { SettingsError } from '../base/settings-error.ts';
import { identityOf, isRunning } from './process-identity.ts';

/**
 * Keeps others of a workspace from submitting: two that look for what still runs at once would submit it twice.
 *
 * @param folder absolute path, which exists
 * @returns ends it
 * @throws SettingsError when another process submits
 */
export function lockSubmissions(folder: string): () => void {
  const lock = join(folder, '.lock');
  const own = JSON.stringify({ ...identityOf(process.pid), host: hostname() });
  while (!create(lock, own)) {
    const owner = read(lock);
    if (owner === undefined) continue; // it has ended meanwhile
    if (!isGone(owner)) throw new SettingsError(messageOf(lock, owner));
    takeAway(lock, owner);
  }
  return () => rmSync(lock, { force: true });
}

function create(lock: string, text: string): boolean {
  try {
    writeFileSync(lock, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

function read(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** Of several that find the same owner gone, one moves its lock. Who moves the lock of another one puts it back. */
function takeAway(lock: string, owner: string): void {
  const moved = `${lock}-${randomUUID()}`;
  try {
    renameSync(lock, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return;
  }
  const text = readFileSync(moved, 'utf8');
  if (text !== owner) create(lock, text);
  rmSync(moved);
}

/** Known only of a process of this machine. */
function isGone(owner: string): boolean {
  const { pid, started, host } = parse(owner);
  if (typeof pid !== 'number' || host !== hostname()) return false;
  return !isRunning({ pid, started: typeof started === 'string' ? started : undefined });
}

function messageOf(lock: string, owner: string): string {
  const { pid, host } = parse(owner);
  const who = pid === undefined ? '' : ` (process ${pid} on ${host})`;
  return `Another "submit" is at work in this workspace${who}. Submit again when it has ended. If it is not there any more, remove ${lock}.`;
}

function parse(owner: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(owner);
    return isObject(value) ? value : {};
  } catch {
    return {}; // it is just being written
  }
}
