import { afterEach, beforeEach, expect, test } from 'vitest';
import { customConditions, tsconfigChain } from '../../../plugin/build/io/code/tsconfig.js';
import { Folder } from '../../support/folder.ts';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder[Symbol.dispose]());

test('settings count as the compiler reads them: comments, last commas, a byte order mark, several bases', () => {
  folder.write('base.json', '\ufeff{ "compilerOptions": { "customConditions": ["@ws/source",], }, }');
  folder.write('tools/strict.json', '{ "extends": ["../deep"] }');
  folder.write('deep.json', '{ "compilerOptions": { "customConditions": ["@ws/first"] } }');
  const tsconfig = folder.write(
    'tsconfig.json',
    `{
      // "extends": "./gone.json",
      /* "compilerOptions": { "customConditions": ["@ws/old"] }, */
      "extends": ["./tools/strict.json", "./base", "@tsconfig/node20/tsconfig.json"]
    }`,
  );
  folder.write('gone.json', '{ "compilerOptions": { "customConditions": ["@ws/gone"] } }');
  expect(tsconfigChain(folder.path, tsconfig)).toEqual([
    'tsconfig.json',
    'base.json',
    'tools/strict.json',
    'deep.json',
  ]);
  expect(customConditions(folder.path, tsconfig)).toEqual(['@ws/source']);
});

test.each(['{', '[]', '"text"', '{ "extends": 1, "compilerOptions": { "customConditions": [1, null] } }'])(
  'of %s nothing follows',
  (text) => {
    const tsconfig = folder.write('tsconfig.json', text);
    expect(tsconfigChain(folder.path, tsconfig)).toEqual(['tsconfig.json']);
    expect(customConditions(folder.path, tsconfig)).toEqual([]);
  },
);

test('bases that extend each other end', () => {
  const tsconfig = folder.write('tsconfig.json', '{ "extends": "./base.json" }');
  folder.write('base.json', '{ "extends": "./tsconfig.json" }');
  expect(tsconfigChain(folder.path, tsconfig)).toEqual(['tsconfig.json', 'base.json']);
});
