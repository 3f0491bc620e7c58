import { existsSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it. `mkdir` with `recursive` says ENOENT on a read-only file system: the true reason
 * is that of the first folder that cannot be made.
 *
 * @returns false when it was there already
 */
export function makeFolder(path: string): boolean {
  try {
    return mkdirSync(path, { recursive: true }) !== undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    let missing = path;
    while (dirname(missing) !== missing && !existsSync(dirname(missing))) missing = dirname(missing);
    mkdirSync(missing);
    mkdirSync(path, { recursive: true });
    return true;
  }
}

/** Makes a folder with nothing in it. */
export async function makeEmptyFolder(path: string): Promise<void> {
  if (makeFolder(path)) return;
  await rm(path, { recursive: true, force: true });
  makeFolder(path);
}
