import { Minimatch } from 'minimatch';
import { describe, expect, test } from 'vitest';
import { SettingsError } from '../../plugin/base/settings-error.ts';
import { experimentFiles, resolveOptions } from '../../plugin/nx/options.ts';
import type { PluginOptions } from '../../plugin/nx/plugin-options.ts';

test('without options there are defaults', () => {
  expect(resolveOptions(undefined)).toEqual({ targetName: 'experiment', include: ['**/experiments/**'] });
  expect(resolveOptions({ targetName: 'run-it' })).toMatchObject({ targetName: 'run-it' });
});

describe('an option that is wrong is named:', () => {
  test.each<[unknown, string]>([
    [
      { target: 'x' },
      'unknown option "target". Known options: targetName, include, store, storeSize, python, shardTime.',
    ],
    [{ targetName: 'a b' }, '"targetName" must be a name of letters, digits, ".", "_" and "-".'],
    [{ targetName: 1 }, '"targetName" must be a name of letters, digits, ".", "_" and "-".'],
    [{ include: 'experiments' }, '"include" must be a list of globs.'],
    [{ include: [1] }, '"include" must be a list of globs.'],
    [{ shardTime: 600 }, '"shardTime" must be a time greater than zero, such as "90s", "10m" or "1.5h".'],
    [{ shardTime: '0s' }, '"shardTime" must be a time greater than zero, such as "90s", "10m" or "1.5h".'],
    [{ shardTime: '10 m' }, '"shardTime" must be a time greater than zero, such as "90s", "10m" or "1.5h".'],
    [{ python: 3 }, '"python" must be a command or a path.'],
  ])('%j', (options, message) => {
    expect(() => resolveOptions(options as PluginOptions)).toThrow(
      new SettingsError(`nx.json, options of the plugin nx-experiments: ${message}`),
    );
  });
});

test('experiments are the configs below a folder of that name, in a fixed order', () => {
  const files = [
    'experiments/b/config.yaml',
    'libs/x/experiments/a/config.yml',
    'apps/web/config.yaml',
    'config.yaml',
  ];
  expect(experimentFiles(files, resolveOptions({}))).toEqual([
    'experiments/b/config.yaml',
    'libs/x/experiments/a/config.yml',
  ]);
  expect(experimentFiles(files, resolveOptions({ include: ['apps/**'] }))).toEqual(['apps/web/config.yaml']);
});

test('the usual pattern means what minimatch takes it for', () => {
  const glob = '**/experiments/**';
  const files = [
    'experiments/a/config.yaml',
    '.x/experiments/.a/config.yml',
    'experiments/config.yaml',
    'config.yaml',
  ]
    .concat([
      'my-experiments/a/config.yaml',
      'experiments-2/config.yaml',
      'a/experiments',
      'experiments',
      'a/b/config.yaml',
    ])
    .sort();
  const pattern = new Minimatch(glob, { dot: true });
  expect(experimentFiles(files, resolveOptions({ include: [glob] }))).toEqual(
    files.filter((file) => pattern.match(file)),
  );
  expect(files.filter((file) => pattern.match(file))).toHaveLength(3);
});
