import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseSource, readSources } from './imports.ts';
import {
  anyViolations,
  exportViolations,
  importCycles,
  layerViolations,
  nxViolations,
  purityViolations,
} from './rules.ts';

const SOURCES = readSources(fileURLToPath(new URL('../../plugin', import.meta.url)));

/** Each rule, with a file that breaks it and what the rule says of that. */
const RULES = {
  'arrows point down': {
    rule: layerViolations,
    bad: ['graph/x.ts', "import type { Job } from '../runtime/plan.ts';"],
    says: ['graph/x.ts (graph) points up to runtime/plan.ts (run)'],
  },
  'neighbours of one rank know nothing of each other': {
    rule: layerViolations,
    bad: ['statistics/x.ts', "export * from '../config/config.ts';"],
    says: ['statistics/x.ts (statistics) points aside to config/config.ts (config)'],
  },
  'every file has a layer': {
    rule: layerViolations,
    bad: ['helpers/x.ts', ''],
    says: ['helpers/x.ts belongs to no layer: give it one in rules.ts'],
  },
  'the pure ring imports nothing that acts': {
    rule: purityViolations,
    bad: ['report/x.ts', "const fs = await import('node:fs/promises'); const os = require('os');"],
    says: ['report/x.ts is pure but imports node:fs/promises', 'report/x.ts is pure but imports os'],
  },
  'the pure ring has no clock, no chance and no process': {
    rule: purityViolations,
    bad: ['runtime/plan.ts', 'f(Date.now(), Math.random(), performance.now(), process.pid, new Date());'],
    says: ['Date.now', 'Math.random', 'performance.now', 'process.pid', 'new Date'].map(
      (member) => `runtime/plan.ts is pure but uses ${member}`,
    ),
  },
  'only the edge knows Nx': {
    rule: nxViolations,
    bad: ['io/x.ts', "import type { Tree } from '@nx/devkit'; import { output } from 'nx/src/utils/output';"],
    says: [
      'io/x.ts is no edge to Nx but imports @nx/devkit',
      'io/x.ts is no edge to Nx but imports nx/src/utils/output',
    ],
  },
  'default exports are for executors and generators': {
    rule: exportViolations,
    bad: ['graph/x.ts', 'const graph = 1; export { graph as default };'],
    says: ['graph/x.ts has a default export'],
  },
  'nothing is any': {
    rule: anyViolations,
    bad: ['graph/x.ts', 'export const f = (x: Map<string, any>) => x;'],
    says: ['graph/x.ts uses "any"'],
  },
} as const;

describe.each(Object.entries(RULES))('%s', (_name, { rule, bad: [path, text], says }) => {
  test('in all of the plugin', () => {
    expect(SOURCES.flatMap(rule)).toEqual([]);
  });
  test('and what breaks it is found', () => {
    expect(rule(parseSource(path, text))).toEqual(says);
  });
});

describe('no file imports itself in a circle', () => {
  test('in all of the plugin', () => {
    expect(importCycles(SOURCES)).toEqual([]);
  });
  test('and what does is found', () => {
    const circle = [
      parseSource('base/a.ts', "import { b } from './b.ts';"),
      parseSource('base/b.ts', "import type { A } from './a.ts';"),
      parseSource('base/c.ts', "import type { A } from './a.ts';"),
    ];
    expect(importCycles(circle)).toEqual([
      'base/a.ts imports itself in a circle',
      'base/b.ts imports itself in a circle',
    ]);
  });
});

test('the whole plugin was looked at', () => {
  const folders = new Set(SOURCES.map(({ path }) => path.split('/')[0]));
  expect([...folders]).toEqual(
    expect.arrayContaining([
      'base',
      'config',
      'executors',
      'graph',
      'index.ts',
      'io',
      'nx',
      'report',
      'runtime',
      'workers',
    ]),
  );
});
