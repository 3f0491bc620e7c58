import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stateOf } from '../../io/changes/file-states.ts';
import type { ObservedRead } from '../protocol.ts';

type AnyFunction = (...args: unknown[]) => unknown;
type Patchable = Record<string, AnyFunction>;

/** Functions that read the file or folder of their first argument, whatever the others are. */
const READERS = ['readFile', 'readFileSync', 'createReadStream', 'copyFile', 'copyFileSync'];
/** Functions that read the names in a folder. */
const LISTERS = ['readdir', 'readdirSync', 'opendir', 'opendirSync'];
/** Functions that read it, unless their second argument says otherwise. */
const OPENERS = ['open', 'openSync'];

const INSTALLED = `${sep}node_modules${sep}`;

/**
 * Watches which files this process reads through `node:fs`, modules included, and which folders it lists. What native code
 * or a child process reads is not seen, nor whether a file was asked to be there.
 */
export class FileObserver {
  private readonly byExperiment = new Map<string, Set<string>>();
  private seen = new Set<string>();
  private fresh: ObservedRead[] = [];
  private readonly list = fs.readdirSync;

  constructor() {
    const promises = fs.promises as unknown as Patchable;
    const callbacks = fs as unknown as Patchable;
    for (const target of [callbacks, promises]) {
      for (const name of READERS) this.watch(target, name, (file) => this.note(file));
      for (const name of LISTERS) this.watch(target, name, (folder, how) => this.noteFolder(folder, how));
      for (const name of OPENERS)
        this.watch(target, name, (file, flags) => isForReading(flags) && this.note(file));
    }
    syncBuiltinESMExports();
  }

  /** From here on this experiment reads. */
  enter(experiment: string): void {
    // What nobody has been told of has to be told when it is read again.
    for (const { path } of this.take()) this.seen.delete(path);
    this.seen = this.byExperiment.get(experiment) ?? new Set();
    this.byExperiment.set(experiment, this.seen);
  }

  /** What is new since the last call, but for installed packages. Paths are absolute. */
  take(): readonly ObservedRead[] {
    const { fresh } = this;
    if (fresh.length > 0) this.fresh = [];
    return fresh;
  }

  private watch(target: Patchable, name: string, note: (file: unknown, how: unknown) => void): void {
    const original = target[name];
    if (original === undefined) return;
    target[name] = Object.assign(function (this: unknown, ...args: unknown[]): unknown {
      note(args[0], args[1]);
      return original.apply(this, args);
    }, original);
  }

  private noteFolder(folder: unknown, how: unknown): void {
    const path = this.note(folder);
    if (path === undefined || !(how as { recursive?: boolean } | undefined)?.recursive) return;
    try {
      for (const entry of this.list(path, { recursive: true, withFileTypes: true }))
        if (entry.isDirectory()) this.note(join(entry.parentPath, entry.name));
    } catch {
      // Whoever lists it hears of it.
    }
  }

  /** To be called before it is read: a change that comes in between is then told as well. @returns the path when it is new */
  private note(file: unknown): string | undefined {
    const path = pathOf(file);
    if (path === undefined || this.seen.has(path)) return undefined;
    this.seen.add(path);
    if (`${path}${sep}`.includes(INSTALLED)) return undefined;
    this.fresh.push({ path, state: stateOf(path) });
    return path;
  }
}

/** Undefined of a descriptor, which was opened before, and of what is no path. */
function pathOf(file: unknown): string | undefined {
  try {
    if (typeof file === 'string') return resolve(file);
    if (file instanceof URL) return fileURLToPath(file);
    if (file instanceof Uint8Array) return resolve(Buffer.from(file).toString());
  } catch {
    // no path
  }
  return undefined;
}

function isForReading(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & (fs.constants.O_WRONLY | fs.constants.O_CREAT)) === 0;
  return typeof flags !== 'string' || /^r/.test(flags);
}
