import { afterAll, beforeAll, expect, test } from 'vitest';
import { COUNTING, CountingLab } from './counting-lab.ts';

/**
 * Two replicates of a producer that uses everything that code can reach, of a consumer of its artifact, and of a
 * bystander. After each change a run must execute exactly the conditions of the table.
 * Every ingredient has a place of its own in the artifact: no two changes come to the same one.
 */
const FILES = {
  'tsconfig.json': '{ "compilerOptions": { "paths": { "@shared/*": ["./libs/shared/*"] } } }',
  'package.json':
    '{ "name": "lab", "version": "1.0.0", "imports": { "#own": { "require": "./libs/old.ts", "import": "./libs/own.ts" } } }',
  'libs/own.ts': 'export const own = 1;\n',
  'libs/old.ts': 'export const own = 100;\n',
  'libs/shared/gain.ts': 'export const gain = 1;\n',
  'libs/other/gain.ts': 'export const gain = 100;\n',
  'libs/near.ts': "export { far } from './far.js';\n",
  'libs/far.ts': 'export const far = 1;\n',
  'libs/pack/package.json': '{ "name": "pack", "version": "1.0.0", "main": "main.js" }',
  'libs/pack/main.js': "module.exports = { packed: require('./part') };\n",
  'libs/pack/part.js': 'module.exports = 1;\n',
  'node_modules/dep/package.json':
    '{ "name": "dep", "version": "1.0.0", "main": "main.js", "dependencies": { "deeper": "*" } }',
  'node_modules/dep/main.js': "exports.dep = require('deeper').deeper;\n",
  'node_modules/deeper/package.json': '{ "name": "deeper", "version": "1.0.0", "main": "main.js" }',
  'node_modules/deeper/main.js': 'exports.deeper = 1;\n',
  'data/outside.txt': '1',
  'producer/data/inside.txt': '1',
  'producer/constants.json': '{ "constant": 1 }',
  'producer/helper.ts': "import { inner } from './inner.ts';\nexport const helper = () => inner();\n",
  'producer/inner.ts': 'export const inner = () => 1;\n',
  'producer/lazy.ts': 'export const lazy = 1;\n',
  'producer/models/one.ts': 'export const model = 1;\n',
  'producer/unrelated.ts': 'export const nothing = 1;\n',
  'producer/config.yaml': `description: Makes a number.
replicates: 2
seed: 7
params: { base: 1, nested: { first: 1, second: 2 } }
inputs: [data/*.txt, "{workspaceRoot}/data/outside.txt", { env: LAB_MODEL }]
datasource:
  raw: { read: { scale: 1 } }
steps:
  - add
  - finish: { last: 1 }
outputs:
  summary: { file_name: summary.json, writer: dump_number, loader: load_number }
treatments:
  a: { extra: 1 }
  b: { extra: 2 }
`,
  'producer/datasources.ts': `import { readFileSync } from 'node:fs';
import { defineDatasource } from 'nx-experiments';
const number = (path: string) => Number(readFileSync(path, 'utf8'));
export const read = defineDatasource({ scale: 2 }, ({ scale }) =>
  scale * (number('data/inside.txt') + number('../data/outside.txt') + (process.env.LAB_MODEL === 'big' ? 10 : 1)));
`,
  'producer/steps.ts': `${COUNTING}
import { defineStep } from 'nx-experiments';
import { gain } from '@shared/gain';
import { own } from '#own';
import { packed } from '../libs/pack/main.js';
import { far } from '../libs/near.ts';
import { dep } from 'dep';
import constants from './constants.json';
import { helper } from './helper';
const old = require('./old.cjs');
export const add = defineStep({ base: 0, extra: 0, nested: {} }, async (data: unknown, { base, extra }) => {
  const { lazy } = await import('./lazy.ts');
  const { model } = await import(\`./models/\${'one'}.ts\`);
  return { data, base, extra, gain, own, packed, far, dep, ...constants, helper: helper(), ...old, lazy, model };
});
export const finish = defineStep({ last: 0, unset: 1 }, async (data: object, { last, unset }, ctx) => {
  executed(ctx);
  await ctx.artifact('summary').write({ ...data, last, unset, seed: ctx.seed });
});
`,
  'producer/old.cjs': 'exports.old = 1;\n',
  'producer/outputs.ts': `import { readFileSync } from 'node:fs';
import { encode } from './encode.ts';
export const dump_number = (value: object) => encode(value);
export const load_number = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
`,
  'producer/encode.ts': 'export const encode = (value: object) => JSON.stringify(value);\n',
  'consumer/config.yaml': `datasource:
  summary: producer#summary
steps: [look]
treatments:
  c: { offset: 1 }
hypotheses:
  - { name: same, verifier: never_called, metrics: seen }
`,
  'consumer/steps.ts': `${COUNTING}
export const look = (data: any, ctx: any) => { executed(ctx); ctx.metrics.add('seen', (data.summary.base ?? 0) + (ctx.params.offset ?? 0)); };
`,
  'bystander/config.yaml': 'datasource: { one: one }\nsteps: [look]\n',
  'bystander/datasources.ts': 'export const one = () => 1;\n',
  'bystander/steps.ts': `${COUNTING}\nexport const look = (data: number, ctx: any) => { executed(ctx); };\n`,
};

const PRODUCER = ['producer/a', 'producer/b', 'producer/baseline'];
const CONSUMER = ['consumer/a', 'consumer/b', 'consumer/baseline', 'consumer/c'];
const BOTH = [...CONSUMER, ...PRODUCER];
/** The consumer's `c` reads the producer's baseline. */
const BASELINES = ['consumer/baseline', 'consumer/c', 'producer/baseline'];

type Change = (lab: CountingLab) => void;
const edit =
  (path: string, from: string, to: string): Change =>
  (lab) =>
    lab.replace(path, from, to);
const comment =
  (path: string): Change =>
  (lab) =>
    lab.append(path, path.endsWith('.yaml') ? '# why\n' : '// why\n');
const add =
  (path: string, text: string): Change =>
  (lab) =>
    lab.write({ [path]: text });

const MUTATIONS: readonly (readonly [kind: string, change: Change, executed: readonly string[]])[] = [
  // Code
  ['a step', edit('producer/steps.ts', '...data, last', '...data, more: 1, last'), BOTH],
  ['a comment in a step, with the same artifact', comment('producer/steps.ts'), PRODUCER],
  ['a datasource', edit('producer/datasources.ts', 'scale * (', '2 * scale * ('), BOTH],
  ['a helper of the folder', edit('producer/helper.ts', 'inner()', '[inner()]'), BOTH],
  ['a helper of a helper', edit('producer/inner.ts', '=> 1', '=> 2'), BOTH],
  ['a library by a relative import', edit('libs/near.ts', 'export', '\nexport'), PRODUCER],
  ['what that library re-exports', edit('libs/far.ts', '= 1', '= 2'), BOTH],
  ['a library by a tsconfig path', edit('libs/shared/gain.ts', '= 1', '= 2'), BOTH],
  [
    'where a tsconfig path leads',
    edit('tsconfig.json', 'libs/shared', 'libs/other'),
    [...BOTH, 'bystander/baseline'],
  ],
  ['a CommonJS library', edit('libs/pack/main.js', 'packed:', 'packed: 1 +'), BOTH],
  ['what a CommonJS library requires', edit('libs/pack/part.js', '= 1', '= 2'), BOTH],
  ['a file by require', edit('producer/old.cjs', '= 1', '= 2'), BOTH],
  ['a JSON import', edit('producer/constants.json', '1', '2'), BOTH],
  ['a dynamic import', edit('producer/lazy.ts', '= 1', '= 2'), BOTH],
  ['a dynamic import whose target is computed', edit('producer/models/one.ts', '= 1', '= 2'), BOTH],
  [
    'a file beside the target of a computed import',
    add('producer/models/two.ts', 'export const model = 2;\n'),
    PRODUCER,
  ],
  ['a file that nothing imports', edit('producer/unrelated.ts', '= 1', '= 2'), []],
  [
    'a module that comes after another of its name',
    add('producer/helper.tsx', 'export const helper = () => 5;\n'),
    [],
  ],
  [
    'a module that comes before another of its name',
    add('producer/helper.js', 'export const helper = () => 5;\n'),
    BOTH,
  ],
  ['a file by a name that package.json gives it', edit('libs/own.ts', '= 1', '= 2'), BOTH],
  ['a default of a parameter', edit('producer/steps.ts', 'unset: 1', 'unset: 2'), BOTH],
  ['a writer', edit('producer/outputs.ts', 'encode(value)', 'encode({ ...value, more: 2 })'), BOTH],
  ['a helper of a writer', edit('producer/encode.ts', 'stringify(value)', 'stringify(value, null, 1)'), BOTH],
  ['a loader upstream', edit('producer/outputs.ts', 'JSON.parse', '/* checked */ JSON.parse'), BOTH],
  ['a step of the consumer', comment('consumer/steps.ts'), CONSUMER],
  ['a new outputs module of the consumer', add('consumer/outputs.ts', 'export {};\n'), CONSUMER],
  // Packages
  ['the version of a dependency', edit('node_modules/dep/package.json', '"1.0.0"', '"1.0.1"'), PRODUCER],
  [
    'the version of a dependency of a dependency',
    edit('node_modules/deeper/package.json', '"1.0.0"', '"1.0.1"'),
    PRODUCER,
  ],
  // Configuration
  ['an argument of a step', edit('producer/config.yaml', 'last: 1', 'last: 2'), BOTH],
  ['an argument of a datasource', edit('producer/config.yaml', 'scale: 1', 'scale: 3'), BOTH],
  [
    'the order of steps',
    edit('producer/config.yaml', '  - add\n  - finish: { last: 1 }', '  - finish: { last: 1 }\n  - add'),
    BOTH,
  ],
  ['a shared parameter', edit('producer/config.yaml', 'base: 1', 'base: 2'), BOTH],
  [
    'a value of one treatment',
    edit('producer/config.yaml', 'extra: 2', 'extra: 3'),
    ['consumer/b', 'producer/b'],
  ],
  [
    'values of the baseline',
    edit('producer/config.yaml', 'treatments:', 'treatments:\n  baseline: { extra: 5 }'),
    BASELINES,
  ],
  [
    'a value of a treatment downstream',
    edit('consumer/config.yaml', 'offset: 1', 'offset: 2'),
    ['consumer/c'],
  ],
  [
    'a parameter that no step declares',
    edit('producer/config.yaml', 'base: 1,', 'base: 1, spare: 1,'),
    PRODUCER,
  ],
  ['the order of parameters', edit('producer/config.yaml', 'first: 1, second: 2', 'second: 2, first: 1'), []],
  ['the root seed', edit('producer/config.yaml', 'seed: 7', 'seed: 8'), BOTH],
  ['the file name of an output', edit('producer/config.yaml', 'summary.json', 'other.json'), BOTH],
  [
    'the loader that is named',
    edit('producer/config.yaml', 'loader: load_number', 'loader: load_text'),
    CONSUMER,
  ],
  [
    'a new treatment',
    edit('producer/config.yaml', '  a: { extra: 1 }', '  a: { extra: 1 }\n  d: { extra: 9 }'),
    ['consumer/d', 'producer/d'],
  ],
  [
    'the name of a treatment',
    edit('producer/config.yaml', '  a: {', '  renamed: {'),
    ['consumer/renamed', 'producer/renamed'],
  ],
  [
    'the name of the experiment',
    (lab) => {
      lab.replace('producer/config.yaml', 'description', 'name: maker\ndescription');
      lab.replace('consumer/config.yaml', 'producer#', 'maker#');
    },
    [...CONSUMER, 'maker/a', 'maker/b', 'maker/baseline'],
  ],
  ['a description', edit('producer/config.yaml', 'Makes', 'Yields'), []],
  ['a comment in config.yaml', comment('producer/config.yaml'), []],
  ['the order of keys', edit('producer/config.yaml', 'replicates: 2\nseed: 7', 'seed: 7\nreplicates: 2'), []],
  ['how it is shown', edit('producer/config.yaml', 'seed: 7', 'seed: 7\ncli: { group: G }'), []],
  [
    'how it is run',
    edit('producer/config.yaml', 'seed: 7', 'seed: 7\nexecution: { workers: 1, retries: 2, concurrency: 2 }'),
    [],
  ],
  ['a hypothesis', edit('consumer/config.yaml', 'never_called', 'other_verifier'), []],
  ['a treatment is removed', edit('producer/config.yaml', '  b: { extra: 2 }\n', ''), []],
  ['one replicate more', edit('producer/config.yaml', 'replicates: 2', 'replicates: 3'), BOTH],
  ['one replicate less', edit('producer/config.yaml', 'replicates: 2', 'replicates: 1'), []],
  // Data
  ['a declared file of the folder', edit('producer/data/inside.txt', '1', '2'), BOTH],
  ['a new file that a declared glob matches', add('producer/data/more.txt', '5'), PRODUCER],
  ['a declared file outside of the folder', edit('data/outside.txt', '1', '8'), BOTH],
  [
    'a declared variable',
    () => {
      process.env.LAB_MODEL = 'big';
    },
    BOTH,
  ],
  [
    'a declared variable is set, to no effect',
    () => {
      process.env.LAB_MODEL = 'small';
    },
    PRODUCER,
  ],
  ['a file that nobody declared', add('data/nobody.txt', '5'), []],
];

let lab: CountingLab;

beforeAll(async () => {
  lab = new CountingLab(FILES);
  const { counts, ran } = await lab.count();
  expect(
    ran.outcomes
      .filter(({ status }) => status !== 'succeeded')
      .map(({ planned }) => ran.failures(planned.id)),
  ).toEqual([]);
  expect(Object.keys(counts).sort()).toEqual(['bystander/baseline', ...BOTH]);
});

afterAll(() => lab[Symbol.dispose]());

test.each(MUTATIONS)('%s', async (_kind, change, executed) => {
  delete process.env.LAB_MODEL;
  change(lab);
  try {
    expect(Object.keys((await lab.count()).counts).sort()).toEqual([...executed].sort());
  } finally {
    delete process.env.LAB_MODEL;
    for (const path of lab.files('.')) {
      const known = path.startsWith('store/') || path.includes('/results/') || path in FILES;
      if (!known) lab.remove(path);
    }
    lab.write(FILES);
  }
});

test('nothing runs when every change is taken back', async () => {
  expect((await lab.count()).counts).toEqual({});
});
