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

/** Of a file its content, of a folder the names in it; `missing` of what cannot be read. */
export async function digestRead(path: string): Promise<string> {
  try {
    const isFolder = statSync(path).isDirectory();
    return isFolder ? sha256(readdirSync(path).sort().join('\0')) : await digestFile(path);
  } catch {
    return 'missing';
  }
}
