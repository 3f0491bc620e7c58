import { symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findConfigs } from '../../plugin/io/find-configs.ts';
import { Lab } from '../support/engine.ts';

test('every config below a folder is found, but for installed packages, results and hidden folders', () => {
  using lab = new Lab({
    'b/config.yml': '',
    'a/config.yaml': '',
    'a/deep/er/config.yaml': '',
    'a/other.config.yaml': '',
    'a/config.yaml.bak': '',
    'node_modules/p/config.yaml': '',
    'a/node_modules/p/config.yaml': '',
    'a/results/config.yaml': '',
    '.git/config.yaml': '',
  });
  expect(findConfigs(lab.root)).toEqual(['a/config.yaml', 'a/deep/er/config.yaml', 'b/config.yml']);
});

test('links are followed, and those that lead back to where they lie end', () => {
  using lab = new Lab({ 'real/one/config.yaml': '', 'work/two/config.yaml': '' });
  symlinkSync(`${lab.root}/real`, `${lab.root}/work/linked`);
  symlinkSync(lab.root, `${lab.root}/work/two/up`);
  symlinkSync(`${lab.root}/real`, `${lab.root}/real/one/around`);
  symlinkSync(`${lab.root}/nowhere`, `${lab.root}/work/broken`);
  symlinkSync('itself', `${lab.root}/work/itself`);
  expect(findConfigs(lab.root)).toEqual([
    'real/one/config.yaml',
    'work/linked/one/config.yaml',
    'work/two/config.yaml',
  ]);
});
