import { readFile } from 'node:fs/promises';

/** Writers and loaders that need no outputs module. A function of that name in the module goes first. */
export const BUILT_IN_WRITERS: Readonly<Record<string, (value: unknown) => string | Uint8Array>> = {
  dump_json: dumpJson,
  dump_text: (value) => {
    if (typeof value !== 'string') throw new TypeError(`dump_text takes text, but got ${typeof value}`);
    return value;
  },
  dump_bytes: dumpBytes,
};

export const BUILT_IN_LOADERS: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  load_json: async (path) => JSON.parse(await readFile(path, 'utf8')),
  load_text: (path) => readFile(path, 'utf8'),
  load_bytes: (path) => readFile(path),
};

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
