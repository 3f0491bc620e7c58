import { statSync } from 'node:fs';

/** Tells which files have been written to since they were read. */
export class FileStates {
  private readonly states = new Map<string, string>();

  /** To be called before a file is read: a change that comes in between is then told as well. */
  note(path: string): void {
    if (!this.states.has(path)) this.states.set(path, stateOf(path));
  }

  /** Also of one that was written with the same content: nobody knows what it held in the meantime. */
  hasChanged(path: string): boolean {
    return this.states.get(path) !== stateOf(path);
  }
}

/** Differs once a file, or what a folder holds, was written to. A worker in Python says it in the same words. */
export function stateOf(path: string): string {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? 'missing' : `${stats.mtimeNs} ${stats.size} ${stats.ino}`;
  } catch (error) {
    return (error as Error).message;
  }
}
