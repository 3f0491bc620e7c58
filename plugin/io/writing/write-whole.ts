import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { growingName } from './growing.ts';

/** Writes a small file, and the folder that it is in. A reader sees the old content or the new one. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const growing = join(folder, growingName(basename(path)));
  try {
    writeFileSync(growing, content);
    renameSync(growing, path);
  } catch (error) {
    rmSync(growing, { force: true });
    throw error;
  }
}
