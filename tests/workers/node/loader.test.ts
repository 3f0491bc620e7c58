import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ImportScanner } from '../../../plugin/io/code/imports.ts';
import { ModuleLoader } from '../../../plugin/workers/node/loader.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'node-loader-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function linkFolder(target: string, link: string): void {
  mkdirSync(dirname(join(root, link)), { recursive: true });
  symlinkSync(join(root, target), join(root, link), 'junction');
}

async function expectDefaultImports(): Promise<void> {
  const loader = new ModuleLoader(root);
  for (const module of ['steps.ts', 'outputs.ts']) {
    const file = write(
      `exp/${module}`,
      "import Model from 'plain';\nexport const name = (): string => Model.name;\n",
    );
    expect((await loader.function(file, 'name', undefined))()).toBe('Model');
  }
}

test.each(['plain', '@scope/plain'])(
  'every module gets the default import of the CommonJS package %s',
  async (name) => {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'main.js' }));
    write(`node_modules/${name}/main.js`, 'module.exports = class Model {};');
    const loader = new ModuleLoader(root);
    for (const module of ['steps.ts', 'outputs.ts', 'verifiers.ts']) {
      const file = write(
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
  write(`${place}/package.json`, JSON.stringify({ name: 'plain', main: 'main.js' }));
  write(`${place}/main.js`, 'module.exports = class Model {};');
  if (link !== undefined) linkFolder(place, link);
  await expectDefaultImports();
});

test('every module gets the default import of a CommonJS package of a linked package of the workspace', async () => {
  write('libs/own/package.json', JSON.stringify({ name: 'own', exports: './own.ts' }));
  write('libs/own/own.ts', "import Model from 'plain';\nexport const own = () => Model.name;\n");
  write('libs/own/more.ts', "import Model from 'plain';\nexport const more = () => Model.name;\n");
  write('libs/own/node_modules/plain/package.json', JSON.stringify({ name: 'plain', main: 'main.js' }));
  write('libs/own/node_modules/plain/main.js', 'module.exports = class Model {};');
  linkFolder('libs/own', 'node_modules/own');
  const file = write(
    'steps.ts',
    "import { own } from 'own';\nimport { more } from './libs/own/more.ts';\nexport const names = () => [own(), more()];\n",
  );
  expect((await new ModuleLoader(root).function(file, 'names', undefined))()).toEqual(['Model', 'Model']);
});

test('of a package of the workspace the sources are loaded that it names under a condition of the tsconfig', async () => {
  const exports = {
    './package.json': './package.json',
    '.': { '@ws/source': './src/own.ts', default: './dist/own.js' },
    './part': { '@ws/source': './src/part.ts', default: './dist/part.js' },
  };
  write('tsconfig.base.json', '{ "compilerOptions": { "customConditions": ["@ws/source"] } }');
  const tsconfig = write('tsconfig.json', '{ "extends": "./tsconfig.base.json" }');
  write('libs/own/package.json', JSON.stringify({ name: '@ws/own', type: 'module', exports }));
  write('libs/own/src/own.ts', "export { inner as own } from './inner.js';\n");
  write('libs/own/src/inner.ts', "export const inner: string = 'own';\n");
  write('libs/own/src/part.ts', "export const part: string = 'part';\n");
  linkFolder('libs/own', 'node_modules/@ws/own');
  const file = write(
    'exp/steps.ts',
    "import { own } from '@ws/own';\nimport { part } from '@ws/own/part';\nimport { name } from '@ws/own/package.json';\nexport const all = () => [own, part, name];\n",
  );
  const all = ['own', 'part', '@ws/own'];
  expect((await new ModuleLoader(root).function(file, 'all', tsconfig))()).toEqual(all);
  write('libs/own/dist/own.js', "throw new Error('built');\n");
  write('libs/own/dist/part.js', "throw new Error('built');\n");
  expect((await new ModuleLoader(root).function(file, 'all', tsconfig))()).toEqual(all);
  const { files, folders } = new ImportScanner(root).reach([file], tsconfig);
  expect(folders).toEqual([]);
  const sources = ['inner.ts', 'own.ts', 'part.ts'].map((name) => `libs/own/src/${name}`);
  expect(files).toEqual(['exp/steps.ts', 'libs/own/package.json', ...sources]);
});

test('a binding that a shared module changes is seen by those who import it', async () => {
  write('shared.ts', 'export let count = 0;\nexport const add = (): void => { count++; };\n');
  const file = write(
    'steps.ts',
    "import { add, count } from './shared.ts';\nexport const run = () => { const before = count; add(); return [before, count]; };\n",
  );
  expect((await new ModuleLoader(root).function(file, 'run', undefined))()).toEqual([0, 1]);
});
