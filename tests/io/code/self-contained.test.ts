import { describe, expect, test } from 'vitest';
import { ImportScanner } from '../../../plugin/io/code/imports.ts';
import { Lab } from '../../support/engine.ts';

const CONTAINED: Readonly<Record<string, string>> = {
  'plain functions': 'export const step = (data) => data + 1;\n',
  'other modules of the workspace': "import { unit } from './unit.mjs';\nexport const step = () => unit;\n",
  'harmless modules of Node':
    "import { createHash } from 'node:crypto';\nimport { inspect } from 'util';\nexport const step = (data) => inspect(createHash('md5').update(data));\n",
  'types of the package':
    "import type { StepContext } from 'nx-experiments';\nexport const step = (data: number, ctx: StepContext) => data;\n",
  'what waits and prints':
    'export const step = async (data) => { await new Promise((r) => setTimeout(r, 1)); console.log(data); };\n',
};

const REACHES_OUT: Readonly<Record<string, string>> = {
  files: "import { readFileSync } from 'node:fs';\nexport const step = () => readFileSync('x');\n",
  'files, without the prefix': "import fs from 'fs';\nexport const step = () => fs;\n",
  'files, by a re-export': "export { readFileSync as step } from 'node:fs';\n",
  'child processes': "import { spawn } from 'node:child_process';\nexport const step = () => spawn('x');\n",
  'an installed package': "import lodash from 'lodash';\nexport const step = () => lodash;\n",
  'the process': 'export const step = () => process.exit(1);\n',
  'the process, by the global object': "export const step = () => globalThis['pro' + 'cess'];\n",
  'the process, by an escape': 'export const step = () => proc\\u0065ss.cwd();\n',
  'the process, by code from a text': "export const step = () => new Function('return this')();\n",
  'code from a text': "export const step = () => eval('1');\n",
  require: "const fs = require('fs');\nexport const step = () => fs;\n",
  'a computed import': 'export const step = (name) => import(name);\n',
  'a late import': "export const step = () => import('node:os');\n",
  'a graph of its own':
    "import { ExperimentGraph } from 'nx-experiments';\nexport const step = () => ExperimentGraph;\n",
  'a module that does': "import { read } from './reads.mjs';\nexport const step = () => read;\n",
  'native code': "import addon from './addon.node';\nexport const step = () => addon;\n",
};

function isContained(steps: string, name = 'steps.mts'): boolean {
  using lab = new Lab({
    [`lab/${name}`]: steps,
    'lab/unit.mjs': 'export const unit = 1;\n',
    'lab/reads.mjs': "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n",
    'lab/addon.node': '',
  });
  const scanner = new ImportScanner(lab.root);
  return scanner.isSelfContained(scanner.reach([`${lab.root}/lab/${name}`], undefined));
}

describe('code that reaches nothing but itself', () => {
  test.each(Object.entries(CONTAINED))('%s', (_, steps) => expect(isContained(steps)).toBe(true));
});

describe('code that may reach the process it runs in', () => {
  test.each(Object.entries(REACHES_OUT))('%s', (_, steps) => expect(isContained(steps)).toBe(false));
});
