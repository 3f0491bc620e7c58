import { existsSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';

/** Runs that put the same folder in place at the same moment try again this often. */
const ATTEMPTS = 100;

/**
 * Puts a finished folder in the place of another. The two renames follow each other at once: only between them there is
 * nothing. When it fails, what was there before stays.
 */
export async function replaceFolder(finished: string, place: string): Promise<void> {
  if (takeFreePlace(finished, place)) return;
  const old = `${finished}.old`;
  for (let attempt = 1; ; attempt++) {
    if (existsSync(old)) await rm(old, { recursive: true, force: true });
    if (tryReplace(finished, place, old)) break;
    if (attempt === ATTEMPTS) throw new Error('other runs put their results there all the time');
  }
  if (existsSync(old)) await rm(old, { recursive: true, force: true });
}

/** @returns false when something is there */
function takeFreePlace(finished: string, place: string): boolean {
  if (existsSync(place)) return false;
  try {
    renameSync(finished, place);
    return true;
  } catch (error) {
    if (existsSync(place)) return false;
    throw error;
  }
}

/** @returns false when another run came between */
function tryReplace(finished: string, place: string, old: string): boolean {
  try {
    renameSync(place, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  try {
    renameSync(finished, place);
    return true;
  } catch (error) {
    if (existsSync(place)) return false;
    if (existsSync(old)) renameSync(old, place);
    throw error;
  }
}
