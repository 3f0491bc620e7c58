import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ModuleLoader } from '../../plugin/workers/node-loader.ts';

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

test('a binding that a shared module changes is seen by those who import it', async () => {
  write('shared.ts', 'export let count = 0;\nexport const add = (): void => { count++; };\n');
  const file = write(
    'steps.ts',
    "import { add, count } from './shared.ts';\nexport const run = () => { const before = count; add(); return [before, count]; };\n",
  );
  expect((await new ModuleLoader(root).function(file, 'run', undefined))()).toEqual([0, 1]);
});
