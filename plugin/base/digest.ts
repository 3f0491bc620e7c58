import { hash } from 'node:crypto';

/** Digest of the content of each file, by path relative to the root. */
export type FileDigests = Readonly<Record<string, string>>;

/** SHA-256 in lower-case hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return hash('sha256', content, 'hex');
}
