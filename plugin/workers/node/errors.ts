import { sep } from 'node:path';
import { packageFile } from '../../base/package-files.ts';
import type { ErrorInfo } from '../../runtime/failures.ts';

const MAX_TEXT = 4000;
const MAX_FRAMES = 12;
const MAX_CAUSES = 3;
const OWN_CODE = packageFile('dist/');

/** What was thrown, whatever it is, with the frames of the user's own code. Paths become relative to the root. */
export function errorInfo(thrown: unknown, root: string): ErrorInfo {
  try {
    if (!isErrorLike(thrown)) {
      const message = shorten(relativePaths(describeValue(thrown), root));
      return { name: 'a value that is no Error', message, stack: '' };
    }
    const { stack = '', name } = thrown;
    return {
      name: shorten(String(name)),
      message: shorten(relativePaths(messageWithCause(thrown), root)),
      stack: userFrames(String(stack), root),
    };
  } catch {
    return { name: 'a value that is no Error', message: 'one that cannot be shown', stack: '' };
  }
}

/** Errors of another realm, or of a class that only looks like one. */
function isErrorLike(value: unknown): value is Error {
  if (value instanceof Error) return true;
  return typeof value === 'object' && value !== null && 'message' in value && 'stack' in value;
}

/** Libraries often keep the interesting part in the cause: "fetch failed" says nothing without it. */
function messageWithCause(error: Error): string {
  let message = String(error.message);
  let { cause } = error;
  for (let depth = 0; depth < MAX_CAUSES && cause !== undefined && cause !== null; depth++) {
    message += `; caused by ${isErrorLike(cause) ? `${cause.name}: ${cause.message}` : describeValue(cause)}`;
    cause = isErrorLike(cause) ? cause.cause : undefined;
  }
  return message;
}

function describeValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? Object.prototype.toString.call(value);
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
      // Lines survive the compilation of TypeScript, columns do not.
      .map((line) => shorten(line.trim()).replace(/:(\d+):\d+(\)?)$/, ':$1$2'))
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
