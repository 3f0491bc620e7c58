import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DIAGNOSTIC_CODES } from '../../plugin/base/diagnostics.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCS = join(ROOT, 'docs');

const PAGES = readdirSync(DOCS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .map((file) => join(DOCS, file));

const linksOf = (page: string): string[] =>
  [...readFileSync(page, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);

test.each([...PAGES, join(ROOT, 'README.md')].map((page) => [relative(ROOT, page)]))(
  'every link of %s leads somewhere',
  (page) => {
    const folder = dirname(join(ROOT, page));
    const broken = linksOf(join(ROOT, page))
      .filter((target) => !/^(https?:|#)/.test(target))
      .filter((target) => !existsSync(join(folder, target.replace(/#.*/, ''))));
    expect(broken).toEqual([]);
  },
);

test('every page has a title, and is reached from the index', () => {
  const reached = new Set([join(DOCS, 'index.md')]);
  for (const page of reached) {
    for (const target of linksOf(page)) {
      const path = join(dirname(page), target.replace(/#.*/, ''));
      if (path.endsWith('.md') && existsSync(path)) reached.add(path);
    }
  }
  const lost = PAGES.filter((page) => !reached.has(page) && !page.includes('/adr/'));
  expect(lost.map((page) => relative(DOCS, page))).toEqual([]);
  const untitled = PAGES.filter(
    (page) => !/^#{1,2} \S/m.test(readFileSync(page, 'utf8').split('\n', 3).join('\n')),
  );
  expect(untitled.map((page) => relative(DOCS, page))).toEqual([]);
});

test('every diagnostic is explained', () => {
  const text = readFileSync(join(DOCS, 'reference/diagnostics.md'), 'utf8');
  expect(DIAGNOSTIC_CODES.filter((code) => !text.includes(code))).toEqual([]);
});

test('the API reference is current, and every public name is described', () => {
  const out = mkdtempSync(join(tmpdir(), 'api-docs-'));
  try {
    // Fails for a name without a docstring.
    execFileSync(join(ROOT, 'node_modules/.bin/typedoc'), ['--logLevel', 'Error', '--out', out], {
      cwd: ROOT,
    });
    const made = readFileSync(join(out, 'index.md'), 'utf8');
    expect(readFileSync(join(DOCS, 'reference/api/index.md'), 'utf8') === made, 'run "npm run docs"').toBe(
      true,
    );
  } finally {
    rmSync(out, { recursive: true });
  }
});
