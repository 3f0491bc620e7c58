import { readlinkSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../base/digest.ts';
import { isAlive } from '../is-alive.ts';

/** Of another machine's process nobody here can say whether it lives: what it makes is left alone until nothing has changed for so long. */
const FOREIGN_MS = 7 * 24 * 3_600_000;

/**
 * Where the number of a process means that process: this machine, or this container, which may share its files with others.
 * Short, since it stands in names of files.
 */
export const MACHINE = sha256(`${hostname()} ${processNamespace()}`).slice(0, 12);

/** What this process has begun: it may make the same thing twice at once. */
let begun = 0;

/** Name of a folder or file while it is made, beside the place that it is for: that of nobody else on any machine. */
export function growingName(name: string): string {
  return `.${name}.${process.pid}-${begun++}@${MACHINE}`;
}

/**
 * Whether what is made there, or was put aside there, belongs to a run that is over.
 *
 * @param owner what follows `.<name>.` in the name
 */
export function isAbandoned(path: string, owner: string): boolean {
  const [, pid, machine = MACHINE] = /^(\d+)(?:-\d+)?(?:@([0-9a-f]+))?(?:\.old)?$/.exec(owner) ?? [];
  if (pid === undefined) return false;
  if (machine === MACHINE) return Number(pid) !== process.pid && !isAlive(Number(pid));
  const changes = [path, join(path, 'artifacts'), join(path, 'run.jsonl')].map(
    (part) => statSync(part, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return Math.max(...changes) < Date.now() - FOREIGN_MS;
}

/** On Linux containers of one machine have processes of their own. */
function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
