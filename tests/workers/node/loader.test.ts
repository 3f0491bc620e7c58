import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ImportScanner } from '../../../plugin/io/code/imports.ts';
import { ModuleLoader } from '../../../plugin/workers/node/loader.ts';
import { Folder } from '../../support/folder.ts';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder[Symbol.dispose]());

function linkFolder(target: string, link: string): void {
  mkdirSync(dirname(folder.join(link)), { recursive: true });
  symlinkSync(folder.join(target), folder.join(link), 'junction');
}

async function expectDefaultImports(): Promise<void> {
  const loader = new ModuleLoader(folder.path);
  for (const module of ['steps.ts', 'outputs.ts']) {
    const file = folder.write(
      `exp/${module}`,
      "import Model from 'plain';\nexport const name = (): string => Model.name;\n",
    );
    expect((await loader.function(file, 'name', undefined))()).toBe('Model');
  }
}

test.each(['plain', '@scope/plain'])(
  'every module gets the default import of the CommonJS package %s',
  async (name) => {
    folder.write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'main.js' }));
    folder.write(`node_modules/${name}/main.js`, 'module.exports = class Model {};');
    const loader = new ModuleLoader(folder.path);
    for (const module of ['steps.ts', 'outputs.ts', 'verifiers.ts']) {
      const file = folder.write(
        module,
        `import Model from '${name}';\nexport const name = (): string => Model.name;\n`,
      );
      expect((await loader.function(file, 'name', undefined))()).toBe('Model');
    }
  },
);

test.each([
  ['that pnpm links to', 'node_modules/.pnpm/plain@1.0.0/node_modules/plain', 'exp/node_modules/plain'],
  ['of the folder itself', 'exp/node_modules/plain', undefined],
])('every module gets the default import of a CommonJS package %s', async (_, place, link) => {
  folder.write(`${place}/package.json`, JSON.stringify({ name: 'plain', main: 'main.js' }));
  folder.write(`${place}/main.js`, 'module.exports = class Model {};');
  if (link !== undefined) linkFolder(place, link);
  await expectDefaultImports();
});

test('every module gets the default import of a CommonJS package of a linked package of the workspace', async () => {
  folder.write('libs/own/package.json', JSON.stringify({ name: 'own', exports: './own.ts' }));
  folder.write('libs/own/own.ts', "import Model from 'plain';\nexport const own = () => Model.name;\n");
  folder.write('libs/own/more.ts', "import Model from 'plain';\nexport const more = () => Model.name;\n");
  folder.write(
    'libs/own/node_modules/plain/package.json',
    JSON.stringify({ name: 'plain', main: 'main.js' }),
  );
  folder.write('libs/own/node_modules/plain/main.js', 'module.exports = class Model {};');
  linkFolder('libs/own', 'node_modules/own');
  const file = folder.write(
    'steps.ts',
    "import { own } from 'own';\nimport { more } from './libs/own/more.ts';\nexport const names = () => [own(), more()];\n",
  );
  expect((await new ModuleLoader(folder.path).function(file, 'names', undefined))()).toEqual([
    'Model',
    'Model',
  ]);
});

test('of a package of the workspace the sources are loaded that it names under a condition of the tsconfig', async () => {
  const exports = {
    './package.json': './package.json',
    '.': { '@ws/source': './src/own.ts', default: './dist/own.js' },
    './part': { '@ws/source': './src/part.ts', default: './dist/part.js' },
  };
  folder.write('tsconfig.base.json', '{ "compilerOptions": { "customConditions": ["@ws/source"] } }');
  const tsconfig = folder.write('tsconfig.json', '{ "extends": "./tsconfig.base.json" }');
  folder.write('libs/own/package.json', JSON.stringify({ name: '@ws/own', type: 'module', exports }));
  folder.write('libs/own/src/own.ts', "export { inner as own } from './inner.js';\n");
  folder.write('libs/own/src/inner.ts', "export const inner: string = 'own';\n");
  folder.write('libs/own/src/part.ts', "export const part: string = 'part';\n");
  linkFolder('libs/own', 'node_modules/@ws/own');
  const file = folder.write(
    'exp/steps.ts',
    "import { own } from '@ws/own';\nimport { part } from '@ws/own/part';\nimport { name } from '@ws/own/package.json';\nexport const all = () => [own, part, name];\n",
  );
  const all = ['own', 'part', '@ws/own'];
  expect((await new ModuleLoader(folder.path).function(file, 'all', tsconfig))()).toEqual(all);
  folder.write('libs/own/dist/own.js', "throw new Error('built');\n");
  folder.write('libs/own/dist/part.js', "throw new Error('built');\n");
  expect((await new ModuleLoader(folder.path).function(file, 'all', tsconfig))()).toEqual(all);
  const { files, folders } = new ImportScanner(folder.path).reach([file], tsconfig);
  expect(folders).toEqual([]);
  const sources = ['inner.ts', 'own.ts', 'part.ts'].map((name) => `libs/own/src/${name}`);
  expect(files).toEqual(['exp/steps.ts', 'libs/own/package.json', ...sources]);
});

test('a binding that a shared module changes is seen by those who import it', async () => {
  folder.write('shared.ts', 'export let count = 0;\nexport const add = (): void => { count++; };\n');
  const file = folder.write(
    'steps.ts',
    "import { add, count } from './shared.ts';\nexport const run = () => { const before = count; add(); return [before, count]; };\n",
  );
  expect((await new ModuleLoader(folder.path).function(file, 'run', undefined))()).toEqual([0, 1]);
});
