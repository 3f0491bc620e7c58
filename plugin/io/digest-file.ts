import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { sha256 } from '../base/digest.ts';

/** Up to this size a file is read at once, and copied at once: the detour over a thread takes longer than the work. */
export const SMALL_BYTES = 1 << 20;

/** SHA-256 of a file's content. @throws when it cannot be read, or is a pipe, which one might wait for without end */
export async function digestFile(path: string): Promise<string> {
  const stats = statSync(path);
  if (!stats.isFile()) throw Object.assign(new Error('it is no file'), { path });
  if (stats.size <= SMALL_BYTES) return sha256(readFileSync(path));
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** Come and go with runs. */
const NOT_LISTED = new Set(['results', 'node_modules', '__pycache__', '.git', '.nx']);

/** Of a file its content, of a folder the names in it; `missing` of what cannot be read, or is neither. */
export async function digestRead(path: string): Promise<string> {
  try {
    if (!statSync(path).isDirectory()) return await digestFile(path);
    const names = readdirSync(path).filter((name) => !NOT_LISTED.has(name));
    return sha256(names.sort().join('\0'));
  } catch {
    return 'missing';
  }
}
