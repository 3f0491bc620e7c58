import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { late } from '../../base/late.ts';
import { readNpy } from './npy.ts';

/** Writers and loaders that need no outputs module. A function of that name in the module goes first. */
export const BUILT_IN_WRITERS: Readonly<Record<string, (value: unknown) => string | Uint8Array>> = {
  dump_json: dumpJson,
  dump_text: (value) => {
    if (typeof value !== 'string') throw new TypeError(`dump_text takes text, but got ${typeof value}`);
    return value;
  },
  dump_bytes: dumpBytes,
};

export const BUILT_IN_LOADERS: Readonly<Record<string, (path: string) => unknown>> = {
  load_json: (path) => JSON.parse(readFileSync(path, 'utf8')),
  load_text: (path) => readFileSync(path, 'utf8'),
  load_bytes: (path) => readFileSync(path),
};

const papaparse = late<typeof import('papaparse')>('papaparse');

/** How a file is read whose loader is written in another language. */
const LOADERS_BY_EXTENSION: Readonly<Record<string, (path: string) => unknown>> = {
  '.json': BUILT_IN_LOADERS.load_json as (path: string) => unknown,
  '.txt': (path) => readFileSync(path, 'utf8'),
  '.md': (path) => readFileSync(path, 'utf8'),
  '.csv': loadCsv,
  '.npy': (path) => readNpy(readFileSync(path)),
  '.bin': (path) => readFileSync(path),
};

/** The stand-in for a loader that only another language can call: one of that name, else by the file's extension. */
export function standIn(loader: string, fileName: string): ((path: string) => unknown) | undefined {
  const named = Object.hasOwn(BUILT_IN_LOADERS, loader) ? BUILT_IN_LOADERS[loader] : undefined;
  return named ?? LOADERS_BY_EXTENSION[extname(fileName).toLowerCase()];
}

/** One object a row, by the names of the header. What looks like a number is one; an empty cell is null. */
function loadCsv(path: string): Record<string, string | number | null>[] {
  const text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  const data: string[][] = [];
  let at = 0;
  papaparse().parse<string[]>(text, {
    delimiter: ',',
    step: ({ data: row, errors: [error], meta }) => {
      if (error !== undefined)
        throw new SyntaxError(`line ${text.slice(0, at).split('\n').length}: ${error.message}`);
      // An empty line is none; one with an empty text in quotes is a row, as in Python.
      if (/[^\r\n]/.test(text.slice(at, meta.cursor))) data.push(row);
      at = meta.cursor;
    },
  });
  const [header = [], ...rows] = data;
  return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, cell(row[i] ?? '')])));
}

function cell(text: string): string | number | null {
  if (text === '') return null;
  return /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : text;
}

/** What happens to a value without a writer: text and bytes are written as they are. */
export function dumpBytes(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(
    `without a writer only text and bytes can be written, but got ${typeof value}; name a writer such as dump_json`,
  );
}

/** Indented JSON. What JSON would silently change is an error that names the place. */
function dumpJson(value: unknown): string {
  if (value === undefined) throw new TypeError('undefined is no JSON value');
  const path: string[] = [];
  const parents: unknown[] = [];
  const text = JSON.stringify(
    value,
    function (this: unknown, key, item: unknown) {
      while (parents.length > 0 && parents.at(-1) !== this) {
        parents.pop();
        path.pop();
      }
      const bad =
        typeof item === 'number'
          ? !Number.isFinite(item)
          : typeof item === 'bigint' || typeof item === 'function' || typeof item === 'symbol';
      if (bad)
        throw new TypeError(
          `${String(item)} at ${['$', ...path, key].filter((k) => k !== '').join('.')} is no JSON value`,
        );
      if (typeof item === 'object' && item !== null) {
        parents.push(item);
        path.push(key);
      }
      return item;
    },
    2,
  );
  return `${text}\n`;
}
