import type { Readable } from 'node:stream';

/**
 * Hands out the lines of a stream, those that are empty left out. Lines end at "\n" alone: `readline` would also end
 * them at U+2028, which JSON text may contain.
 */
export function onLines(stream: Readable, onLine: (line: string) => void): void {
  let partial = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      const line = partial + text.slice(from, end);
      partial = '';
      from = end + 1;
      if (line !== '') onLine(line);
    }
    partial += text.slice(from);
  });
}
