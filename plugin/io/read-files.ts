import { statSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { ObservedRead } from '../workers/protocol.ts';
import { digestFile, digestNames } from './digest-file.ts';
import { relativePath } from './paths.ts';

/** Of what was read: of a folder, whose path ends with a separator, the names in it; else the content. @throws when it cannot be read */
export function digestRead(path: string): Promise<string> {
  return path.endsWith(sep) ? digestNames(path) : digestFile(path);
}

/** Relative to the root, with a slash at the end of a folder's that was listed. */
export function pathOfRead(root: string, { path }: ObservedRead): string {
  return relativePath(root, path) + (path.endsWith(sep) ? '/' : '');
}

/** What workers have read, below one root. Paths are relative to it. */
export class ReadFiles {
  constructor(private readonly root: string) {}

  digest(path: string): Promise<string> {
    return digestRead(join(this.root, path));
  }

  /** @param state that a worker has told. @returns whether it is another one by now */
  hasChanged(path: string, state: string): boolean {
    return stateOf(join(this.root, path)) !== state;
  }
}

/** As workers in every language tell it. */
function stateOf(path: string): string {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? 'missing' : `${Math.floor(stats.mtimeMs)} ${stats.size}`;
  } catch {
    return 'missing';
  }
}
