import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const url = (path: string): URL => new URL(`../../plugin/${path}`, import.meta.url);
const read = (path: string): Record<string, unknown> => JSON.parse(readFileSync(url(path), 'utf8'));

/** Every path to a file in a manifest. */
function pathsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('./') ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(pathsOf) : [];
}

const missing = (paths: readonly string[]): string[] => paths.filter((path) => !existsSync(url(path)));

const MANIFESTS = ['package.json', 'executors.json', 'generators.json', 'migrations.json'].filter((file) =>
  existsSync(url(file)),
);

describe.each(MANIFESTS)('every path in %s exists after the build', (file) => {
  const paths = pathsOf(read(file));
  test.each(paths.map((path) => [path]))('%s', (path) => {
    expect(missing([path])).toEqual([]);
  });
});

test('everything that the package publishes exists', () => {
  const files = read('package.json').files as string[];
  expect(missing(files)).toEqual([]);
});

test('what the manifests name is published', () => {
  const published = read('package.json').files as string[];
  const outside = MANIFESTS.flatMap((file) => pathsOf(read(file)))
    .filter((path) => path !== './package.json')
    .filter((path) => !published.some((prefix) => path === `./${prefix}` || path.startsWith(`./${prefix}/`)));
  expect(outside).toEqual([]);
});

test('a path that does not exist is found', () => {
  expect(missing(pathsOf({ a: { b: './dist/nothing.js' }, c: 'nx-experiments' }))).toEqual([
    './dist/nothing.js',
  ]);
});
