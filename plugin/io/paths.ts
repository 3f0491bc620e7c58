import { relative, sep } from 'node:path';

/** Path relative to the root, with forward slashes. */
export function relativePath(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}

/** Relative to the root, with a slash at the end of a folder's that was listed. @param read as a worker tells it */
export function pathOfRead(root: string, read: string): string {
  return relativePath(root, read) + (read.endsWith(sep) ? '/' : '');
}
