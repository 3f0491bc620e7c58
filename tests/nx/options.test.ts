import { Minimatch } from 'minimatch';
import { describe, expect, test } from 'vitest';
import { SettingsError } from '../../plugin/base/settings-error.ts';
import {
  experimentFiles,
  experimentFilesOf,
  pluginOptions,
  resolveOptions,
} from '../../plugin/nx/options.ts';
import type { PluginOptions } from '../../plugin/nx/plugin-options.ts';
import { resolveStore } from '../../plugin/nx/store-options.ts';

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

test('options are those of the one entry in nx.json; with two, a run would take the Python and the store of the other', () => {
  const entry = { plugin: 'nx-experiments', options: { python: 'python3.12' } };
  expect(pluginOptions({ plugins: ['nx-experiments'] })).toEqual({});
  expect(pluginOptions({ plugins: ['@nx/js', entry] })).toEqual(entry.options);
  expect(() => pluginOptions({ plugins: ['nx-experiments', '@nx/js', entry] })).toThrow(
    new SettingsError(
      'The plugin nx-experiments is registered 2 times, and a run has one set of options: keep one entry of nx.json, with all globs in its "include".',
    ),
  );
});

test.each<[object, string[]]>([
  [{}, ['experiments/a/config.yaml', 'experiments/b/c/config.yaml', 'experiments/b/config.yaml']],
  [{ exclude: ['experiments/b/**'] }, ['experiments/a/config.yaml']],
  [
    { exclude: ['experiments/b/**', '!**/c/**'] },
    ['experiments/a/config.yaml', 'experiments/b/c/config.yaml'],
  ],
  [{ include: ['!**/c/*'] }, ['experiments/a/config.yaml', 'experiments/b/config.yaml']],
  [{ include: ['experiments/a/*'], exclude: [] }, ['experiments/a/config.yaml']],
])('an entry with %j hands over what Nx takes it for', (entry, expected) => {
  const files = ['b/c', 'b', 'a'].map((name) => `experiments/${name}/config.yaml`);
  expect(experimentFilesOf({ plugins: [{ plugin: 'nx-experiments', ...entry }] }, files)).toEqual(expected);
});

describe('a store that is none is refused:', () => {
  const noFolder = 'The option "store" must be the path of a folder, or false for no store.';
  test.each<[object, string]>([
    [{ store: '' }, noFolder],
    [{ store: true }, noFolder],
    [{ store: 5 }, noFolder],
    [{ store: null }, noFolder],
    [{ storeSize: null }, 'The store\'s size "null" cannot be read: write it like 500M or 10G.'],
    [{ storeSize: 'much' }, 'The store\'s size "much" cannot be read: write it like 500M or 10G.'],
  ])('%j', (options, message) => {
    expect(() => resolveStore('/root', options, {})).toThrow(new SettingsError(message));
  });

  test('and a number is a size in bytes', () => {
    const options = { storeSize: 5 } as object;
    expect(resolveStore('/root', options, {})).toEqual({ folder: '/root/.nx/experiments', maxBytes: 5 });
  });
});
