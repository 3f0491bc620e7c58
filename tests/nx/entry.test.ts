import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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

test('what Nx loads with every command is one file that asks for nothing but Node', () => {
  const { createNodes } = createRequire(import.meta.url)('../../plugin/dist/cjs/index.js');
  expect(createNodes).toHaveLength(2);
  const entry = readFileSync(new URL('../../plugin/dist/cjs/index.js', import.meta.url), 'utf8');
  expect(entry.match(/^const .* require\((.*)\);$/gm)).toEqual([
    "const { createDependencies, createNodes, createNodesV2, name } = require('../plugin.cjs');",
  ]);
  const code = readFileSync(new URL('../../plugin/dist/plugin.cjs', import.meta.url), 'utf8');
  const required = [...code.matchAll(/^(?:let|const) .*\brequire\("(.*)"\)/gm)].map(([, name]) => name);
  expect(required).not.toHaveLength(0);
  for (const name of required) expect(name).toMatch(/^node:/);
  expect(code.length).toBeLessThan(200_000);
});
