import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ObservedRead } from './protocol.ts';

type AnyFunction = (...args: unknown[]) => unknown;
type Patchable = Record<string, AnyFunction>;

/** Functions that read the file of their first argument, whatever the others are. */
const READERS = ['readFile', 'readFileSync', 'createReadStream'];
/** Functions that read it, unless their second argument says otherwise. */
const OPENERS = ['open', 'openSync'];
/** Functions that read the names in the folder of their first argument. */
const LISTERS = ['readdir', 'readdirSync', 'opendir', 'opendirSync'];
const { readdirSync, statSync } = fs;

/**
 * Watches which files this process reads through `node:fs`, modules included, and of which folders it asks
 * for the names. What native code or a child process reads is not seen, nor whether a file was asked to be there.
 */
export class FileObserver {
  private readonly byExperiment = new Map<string, Set<string>>();
  private seen = new Set<string>();
  private fresh: ObservedRead[] = [];

  constructor() {
    const promises = fs.promises as unknown as Patchable;
    const callbacks = fs as unknown as Patchable;
    for (const target of [callbacks, promises]) {
      for (const name of READERS) watch(target, name, (file) => this.noteFile(file));
      for (const name of OPENERS)
        watch(target, name, (file, flags) => isForReading(flags) && this.noteFile(file));
      for (const name of LISTERS) watch(target, name, (folder, how) => this.noteFolder(folder, how));
    }
    syncBuiltinESMExports();
  }

  /** From here on this experiment reads. */
  enter(experiment: string): void {
    // What nobody has been told of has to be told when it is read again.
    for (const { path } of this.fresh.splice(0)) this.seen.delete(path);
    this.seen = this.byExperiment.get(experiment) ?? new Set();
    this.byExperiment.set(experiment, this.seen);
  }

  /** What is new since the last call, but for installed packages. */
  take(): ObservedRead[] {
    return this.fresh.splice(0);
  }

  private noteFile(file: unknown): void {
    const path = pathOf(file);
    if (path !== undefined) this.note(path);
  }

  private noteFolder(folder: unknown, how: unknown): void {
    const path = pathOf(folder);
    if (path === undefined) return;
    this.note(path + sep);
    if (typeof how !== 'object' || how === null || !('recursive' in how) || !how.recursive) return;
    try {
      for (const entry of readdirSync(path, { recursive: true, withFileTypes: true }))
        if (entry.isDirectory()) this.note(join(entry.parentPath, entry.name) + sep);
    } catch {} // whoever asked for it will hear why
  }

  private note(path: string): void {
    if (this.seen.has(path)) return;
    this.seen.add(path);
    if (!path.includes(`${sep}node_modules${sep}`)) this.fresh.push({ path, state: stateOf(path) });
  }
}

/** @param note hears of each call's first two arguments */
function watch(target: Patchable, name: string, note: (first: unknown, second: unknown) => void): void {
  const original = target[name];
  if (original === undefined) return;
  target[name] = Object.assign(function (this: unknown, ...args: unknown[]): unknown {
    note(args[0], args[1]);
    return original.apply(this, args);
  }, original);
}

function stateOf(path: string): string {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? 'missing' : `${Math.floor(stats.mtimeMs)} ${stats.size}`;
  } catch {
    return 'missing';
  }
}

function pathOf(file: unknown): string | undefined {
  try {
    if (typeof file === 'string') return resolve(file);
    if (file instanceof URL) return resolve(fileURLToPath(file));
    if (file instanceof Uint8Array) return resolve(Buffer.from(file).toString());
    return undefined; // a descriptor: it was opened before
  } catch {
    return undefined;
  }
}

function isForReading(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & (fs.constants.O_WRONLY | fs.constants.O_CREAT)) === 0;
  return typeof flags !== 'string' || /^r/.test(flags);
}
