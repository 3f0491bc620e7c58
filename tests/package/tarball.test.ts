import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const PLUGIN = join(REPOSITORY, 'plugin');

/** What the package may weigh, packed and unpacked, in bytes: half of it is Vega, which else would be 50 packages. */
const MAX_PACKED = 600_000;
const MAX_UNPACKED = 2_200_000;

const folder = mkdtempSync(join(tmpdir(), 'tarball-'));
let tarball = '';
let report: { size: number; unpackedSize: number; files: { path: string }[] };

beforeAll(() => {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const packed = JSON.parse(execFileSync('npm', args, { cwd: PLUGIN, encoding: 'utf8' }));
  report = Array.isArray(packed) ? packed[0] : Object.values(packed)[0];
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
  execFileSync('tar', ['-xzf', tarball, '-C', folder]);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('are the types wrong? finds no problem under any resolution', async () => {
  const data = new Uint8Array(readFileSync(tarball));
  const { problems } = (await checkPackage(createPackageFromTarballData(data), {
    entrypoints: ['.'],
  })) as { problems?: unknown[] };
  expect(problems).toEqual([]);
});

test('publint finds nothing', async () => {
  const data = readFileSync(tarball);
  const { messages } = await publint({
    pack: { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) },
  });
  expect(messages).toEqual([]);
});

test('it holds what it needs and nothing else', () => {
  const paths = report.files.map(({ path }) => path);
  const allowed =
    /^(package\.json|README\.md|LICENSE|executors\.json|generators\.json|migrations\.json|bin\/[^/]+\.js|workers\/python\/[\w/]+\.py|dist\/.+\.(cjs|js|d\.ts)|dist\/.*schema\.json|dist\/cjs\/package\.json|dist\/vendor\/LICENSES\.txt)$/;
  expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
  expect(paths).toEqual(expect.arrayContaining(['dist/index.js', 'dist/cjs/index.d.ts', 'LICENSE']));
  expect(report.size).toBeLessThan(MAX_PACKED);
  expect(report.unpackedSize).toBeLessThan(MAX_UNPACKED);
});

test('the licence of every library that is part of it is in it', () => {
  const texts = readFileSync(join(folder, 'package/dist/vendor/LICENSES.txt'), 'utf8');
  const named = [...texts.matchAll(/^(\S+) \d+\.\d+\.\d+\S* \((.+)\)$/gm)];
  const names = named.map(([, name]) => name);
  expect(names).toEqual(
    expect.arrayContaining(['js-yaml', 'yaml', 'vega-view', 'pure-rand', 'fastest-levenshtein']),
  );
  for (const [, name, license] of named)
    expect(license, name).toMatch(/^(MIT|ISC|BSD-[23]-Clause|Apache-2\.0)$/);
});

test('no file names a path of the machine that built it', () => {
  const package_ = join(folder, 'package');
  for (const path of readdirSync(package_, { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const text = readFileSync(join(path.parentPath, path.name), 'utf8');
    expect(text.includes(REPOSITORY), path.name).toBe(false);
    expect(text.includes('sourceMappingURL'), path.name).toBe(false);
  }
});

const SCRIPT = `
const experiment = defineExperiment({
  name: 'probe',
  folder: 'probe',
  datasource: () => 1,
  steps: [(x: number) => withMetrics(x, { value: x })],
});
ExperimentGraph.fromExperiments(experiment)
  .run()
  .then(({ probe }) => {
    const values: number[] = probe.values('value');
    console.log(values);
  });
`;

/** Each kind of module, with how it gets the package. */
const CONSUMERS = {
  'esm.mts': "import { defineExperiment, ExperimentGraph, withMetrics } from 'nx-experiments';",
  'cjs.cts': "import { defineExperiment, ExperimentGraph, withMetrics } from 'nx-experiments';",
} as const;

describe('a consumer compiles and runs', () => {
  const consumer = join(folder, 'consumer');
  beforeAll(() => {
    mkdirSync(join(consumer, 'node_modules', '@types'), { recursive: true });
    symlinkSync(join(folder, 'package'), join(consumer, 'node_modules', 'nx-experiments'));
    // Its dependencies, where npm would have put them.
    symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'package', 'node_modules'));
    symlinkSync(join(REPOSITORY, 'node_modules/@types/node'), join(consumer, 'node_modules/@types/node'));
    writeFileSync(join(consumer, 'package.json'), '{}');
    for (const [file, line] of Object.entries(CONSUMERS)) writeFileSync(join(consumer, file), line + SCRIPT);
  });

  test.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['preserve', 'bundler'],
  ])('%s', (module, moduleResolution) => {
    const args = ['--ignoreConfig', '--strict', '--target', 'es2022', '--types', 'node'];
    args.push('--module', module, '--moduleResolution', moduleResolution, '--outDir', `out-${module}`);
    const tsc = join(REPOSITORY, 'node_modules/.bin/tsc');
    const text = execFileSync(tsc, [...args, ...Object.keys(CONSUMERS)], { cwd: consumer, encoding: 'utf8' });
    expect(text).toBe('');
  });

  test.each(['esm.mjs', 'cjs.cjs'])('%s runs', (file) => {
    const printed = execFileSync(process.execPath, [join(consumer, 'out-node16', file)], {
      cwd: consumer,
      encoding: 'utf8',
    });
    expect(printed).toBe('[ 1 ]\n');
  });
});
