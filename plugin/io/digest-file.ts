import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { sha256 } from '../base/digest.ts';

/** Above this a file is read in pieces. */
const WHOLE = 1 << 20;

/** SHA-256 of a file's content. @throws when it cannot be read */
export async function digestFile(path: string): Promise<string> {
  if ((await stat(path)).size <= WHOLE) return sha256(await readFile(path));
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
