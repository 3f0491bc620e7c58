import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InstalledPackages } from '../../../plugin/io/code/packages.ts';

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'packages-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A package as pnpm installs it: what it depends on lies beside it, as a link. */
function install(name: string, version: string, dependencies: Readonly<Record<string, string>>): string {
  const store = join(root, 'node_modules/.pnpm');
  const folder = join(store, `${name}@${version}`, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version, dependencies }));
  for (const [other, wanted] of Object.entries(dependencies)) {
    const target = join(store, `${other}@${wanted}`, 'node_modules', other);
    symlinkSync(target, join(dirname(folder), other), 'junction');
  }
  return folder;
}

test('what a linked package depends on is found beside the package, also where another version is hoisted', () => {
  const send = install('send', '0.18.0', { debug: '2.6.9' });
  install('debug', '2.6.9', { ms: '2.1.1' });
  install('ms', '2.1.1', {});
  const hoisted = install('ms', '2.1.3', {});
  mkdirSync(join(root, 'node_modules/.pnpm/node_modules'));
  symlinkSync(hoisted, join(root, 'node_modules/.pnpm/node_modules/ms'), 'junction');
  expect(new InstalledPackages(root).versions([join(send, 'index.js')])).toEqual({
    'node_modules/.pnpm/send@0.18.0/node_modules/send': '0.18.0',
    'node_modules/.pnpm/debug@2.6.9/node_modules/debug': '2.6.9',
    'node_modules/.pnpm/ms@2.1.1/node_modules/ms': '2.1.1',
  });
});
