import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { sha256 } from '../base/digest.ts';

/** Up to this size a file is read at once, and copied at once: the detour over a thread takes longer than the work. */
export const SMALL_BYTES = 1 << 20;

/** SHA-256 of a file's content. @throws when it cannot be read */
export async function digestFile(path: string): Promise<string> {
  if (statSync(path).size <= SMALL_BYTES) return sha256(readFileSync(path));
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** Come and go with runs. */
const NOT_LISTED = new Set(['results', 'node_modules', '__pycache__', '.git', '.nx']);

/** SHA-256 of the names in a folder, in order. @throws when it cannot be read */
export async function digestNames(path: string): Promise<string> {
  const names = readdirSync(path).filter((name) => !NOT_LISTED.has(name));
  return sha256(JSON.stringify(names.sort()));
}
