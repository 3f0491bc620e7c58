import { readFileSync } from 'node:fs';
import type { CreateDependencies, CreateNodes } from '@nx/devkit';
import { expect, test } from 'vitest';
import * as plugin from '../../plugin/index.ts';
import type { PluginOptions } from '../../plugin/nx/plugin-options.ts';

test('the entry is what Nx takes for a plugin', () => {
  const createNodes: CreateNodes<PluginOptions> = plugin.createNodes;
  const createDependencies = plugin.createDependencies as CreateDependencies<PluginOptions>;
  expect(createNodes[0]).toBe('**/config.{yaml,yml}');
  expect(typeof createNodes[1]).toBe('function');
  expect(typeof createDependencies).toBe('function');
  expect(plugin.name).toBe('nx-experiments');
});

test('the types that steps import do not need those of Nx', () => {
  const seen = new Set<string>();
  const visit = (url: URL): void => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    for (const [, path = ''] of readFileSync(url, 'utf8').matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
      expect(path).not.toMatch(/^(@nx\/|nx)/);
      if (path.startsWith('.')) visit(new URL(path.replace(/\.[jt]s$/, '.d.ts'), url));
    }
  };
  visit(new URL('../../plugin/dist/index.d.ts', import.meta.url));
  expect(seen.size).toBeGreaterThan(1);
});

test('what Nx loads with every command is the entry for Nx alone', () => {
  const seen = new Map<string, number>();
  const visit = (url: URL): void => {
    if (seen.has(url.href)) return;
    const code = readFileSync(url, 'utf8');
    seen.set(url.href, code.length);
    // What stands at the beginning of a line is loaded at once.
    for (const [, path = ''] of code.matchAll(/^(?:const|let|var) [^=]+ = require\(['"](\.[^'"]+)['"]\)/gm))
      visit(new URL(path, url));
  };
  visit(new URL('../../plugin/dist/cjs/index.js', import.meta.url));
  expect([...seen.keys()].map((url) => url.slice(url.lastIndexOf('/')))).toContain('/plugin.cjs');
  expect([...seen.values()].reduce((sum, size) => sum + size, 0)).toBeLessThan(5000);
});
