import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

type AnyFunction = (...args: unknown[]) => unknown;
type Patchable = Record<string, AnyFunction>;

/** Functions that read the file of their first argument, whatever the others are. */
const READERS = ['readFile', 'readFileSync', 'createReadStream'];
/** Functions that read it, unless their second argument says otherwise. */
const OPENERS = ['open', 'openSync'];

/**
 * Watches which files of the workspace this process reads through `node:fs`, modules included. What native code or a
 * child process reads is not seen.
 */
export class FileObserver {
  private readonly byExperiment = new Map<string, Set<string>>();
  private seen = new Set<string>();
  private fresh: string[] = [];

  constructor() {
    const promises = fs.promises as unknown as Patchable;
    const callbacks = fs as unknown as Patchable;
    for (const target of [callbacks, promises]) {
      for (const name of READERS) this.watch(target, name, () => true);
      for (const name of OPENERS) this.watch(target, name, isForReading);
    }
    syncBuiltinESMExports();
  }

  /** From here on this experiment reads. */
  enter(experiment: string): void {
    this.seen = this.byExperiment.get(experiment) ?? new Set();
    this.byExperiment.set(experiment, this.seen);
    this.fresh = [];
  }

  /** Absolute paths below a folder that are new since the last call, but for installed packages. */
  take(root: string): string[] {
    const { fresh } = this;
    if (fresh.length === 0) return [];
    this.fresh = [];
    return fresh.filter((path) => path.startsWith(root + sep) && !path.includes(`${sep}node_modules${sep}`));
  }

  private watch(target: Patchable, name: string, reads: (flags: unknown) => boolean): void {
    const original = target[name];
    if (original === undefined) return;
    const note = (file: unknown, flags: unknown): void => {
      if (reads(flags)) this.note(file);
    };
    target[name] = Object.assign(function (this: unknown, ...args: unknown[]): unknown {
      note(args[0], args[1]);
      return original.apply(this, args);
    }, original);
  }

  private note(file: unknown): void {
    let path: string;
    try {
      if (typeof file === 'string') path = resolve(file);
      else if (file instanceof URL) path = fileURLToPath(file);
      else if (file instanceof Uint8Array) path = resolve(Buffer.from(file).toString());
      else return; // a descriptor: it was opened before
    } catch {
      return;
    }
    if (this.seen.has(path)) return;
    this.seen.add(path);
    this.fresh.push(path);
  }
}

function isForReading(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & (fs.constants.O_WRONLY | fs.constants.O_CREAT)) === 0;
  return typeof flags !== 'string' || /^r/.test(flags);
}
