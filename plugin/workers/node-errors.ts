import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ErrorInfo } from '../runtime/failures.ts';

const MAX_TEXT = 4000;
const MAX_FRAMES = 12;
const OWN_CODE = fileURLToPath(new URL('..', import.meta.url));

/** What was thrown, whatever it is, with the frames of the user's own code. Paths become relative to the root. */
export function errorInfo(thrown: unknown, root: string): ErrorInfo {
  if (!(thrown instanceof Error) && !isErrorLike(thrown)) {
    return { name: 'a value that is no Error', message: shorten(describeValue(thrown)), stack: '' };
  }
  const { message, stack = '', name } = thrown;
  return {
    name: shorten(String(name)),
    message: shorten(relativePaths(String(message), root)),
    stack: userFrames(String(stack), root),
  };
}

/** Errors of another realm, or of a class that only looks like one. */
function isErrorLike(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && 'stack' in value;
}

function describeValue(value: unknown): string {
  try {
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function userFrames(stack: string, root: string): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const own = frames.filter(
    (line) => !line.includes(OWN_CODE) && !/node:|<anonymous>\)?$|\(index \d+\)$|[\\/]jiti[\\/]/.test(line),
  );
  return relativePaths(
    own
      .slice(0, MAX_FRAMES)
      .map((line) => line.trim())
      .join('\n'),
    root,
  );
}

function relativePaths(text: string, root: string): string {
  return text.replaceAll(`file://${root}${sep}`, '').replaceAll(root + sep, '');
}

function shorten(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
}
