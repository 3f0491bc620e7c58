import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { customConditions, tsconfigChain } from '../../../plugin/build/io/code/tsconfig.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsconfig-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test('settings count as the compiler reads them: comments, last commas, a byte order mark, several bases', () => {
  write('base.json', '\ufeff{ "compilerOptions": { "customConditions": ["@ws/source",], }, }');
  write('tools/strict.json', '{ "extends": ["../deep"] }');
  write('deep.json', '{ "compilerOptions": { "customConditions": ["@ws/first"] } }');
  const tsconfig = write(
    'tsconfig.json',
    `{
      // "extends": "./gone.json",
      /* "compilerOptions": { "customConditions": ["@ws/old"] }, */
      "extends": ["./tools/strict.json", "./base", "@tsconfig/node20/tsconfig.json"]
    }`,
  );
  write('gone.json', '{ "compilerOptions": { "customConditions": ["@ws/gone"] } }');
  expect(tsconfigChain(root, tsconfig)).toEqual([
    'tsconfig.json',
    'base.json',
    'tools/strict.json',
    'deep.json',
  ]);
  expect(customConditions(root, tsconfig)).toEqual(['@ws/source']);
});

test.each(['{', '[]', '"text"', '{ "extends": 1, "compilerOptions": { "customConditions": [1, null] } }'])(
  'of %s nothing follows',
  (text) => {
    const tsconfig = write('tsconfig.json', text);
    expect(tsconfigChain(root, tsconfig)).toEqual(['tsconfig.json']);
    expect(customConditions(root, tsconfig)).toEqual([]);
  },
);

test('bases that extend each other end', () => {
  const tsconfig = write('tsconfig.json', '{ "extends": "./base.json" }');
  write('base.json', '{ "extends": "./tsconfig.json" }');
  expect(tsconfigChain(root, tsconfig)).toEqual(['tsconfig.json', 'base.json']);
});
