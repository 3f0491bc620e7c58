import { expect, test, vi } from 'vitest';
import { Lab, type Ran } from '../support/engine.ts';

const warnings = ({ events }: Ran): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [`${event.planned.id}: ${event.text}`] : []));

const logs = ({ events }: Ran): string[] =>
  events.flatMap((event) => (event.type === 'log' && event.replicate === undefined ? [event.text] : []));

const READING = {
  'e/config.yaml': 'replicates: 4\ninputs: [declared.txt]\ndatasource: { all: read }\nsteps: [look]\n',
  'e/datasources.ts': `import { readFileSync, promises, createReadStream, openSync, closeSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import helper from './helper.ts';
export const read = async (ctx: any) => {
  readFileSync('declared.txt');
  readFileSync(new URL('file://' + ctx.folder + '/by-url.txt'));
  await readFile('../shared/by-promise.txt');
  await promises.readFile(join(ctx.folder, 'by-namespace.txt'));
  for await (const _ of createReadStream('by-stream.txt')) {}
  closeSync(openSync('by-descriptor.txt', 'r'));
  writeFileSync(join(tmpdir(), 'elsewhere-' + process.pid), helper);
};
`,
  'e/helper.ts': "export default 'x';\n",
  'e/steps.ts': 'export const look = () => 1;\n',
  'e/declared.txt': 'x',
  'e/by-url.txt': 'x',
  'shared/by-promise.txt': 'x',
  'e/by-namespace.txt': 'x',
  'e/by-stream.txt': 'x',
  'e/by-descriptor.txt': 'x',
  'e/never-read.txt': 'x',
};

test('a file that is read elsewhere and not declared is warned about once', async () => {
  using lab = new Lab(READING);
  expect(warnings(await lab.run({ store: 'store', workers: 2 }))).toEqual([
    'e/baseline: reads shared/by-promise.txt, which is not declared under "inputs": Nx does not notice a change of it',
  ]);
});

test('of many files one warning is told a folder, and that they are too many', async () => {
  const files = Array.from({ length: 201 }, (_, i) => [`shared/all/${i}.txt`, 'x'] as const);
  using lab = new Lab({
    ...Object.fromEntries(files),
    'shared/one.txt': 'x',
    'e/config.yaml': 'replicates: 3\ndatasource: { all: read }\nsteps: [look]\n',
    'e/datasources.ts': `import { readFileSync, readdirSync } from 'node:fs';
export const read = () => {
  readFileSync('../shared/one.txt');
  for (const name of readdirSync('../shared/all')) readFileSync('../shared/all/' + name);
};
`,
    'e/steps.ts': 'export const look = () => 1;\n',
  });
  const told = [
    'e/baseline: reads shared/one.txt, which is not declared under "inputs": Nx does not notice a change of it',
    'e/baseline: reads 201 files of shared/all, which are not declared under "inputs": Nx does not notice a change of them',
    'e/baseline: reads more than 200 files that are not declared under "inputs": too many to keep track of, so that everything runs again each time',
  ];
  expect(warnings(await lab.run({ store: 'store', workers: 1 }))).toEqual(told);
  lab.write({
    'e/config.yaml':
      'replicates: 3\ninputs: ["{workspaceRoot}/shared"]\ndatasource: { all: read }\nsteps: [look]\n',
  });
  expect(warnings(await lab.run({ store: 'store', workers: 1 }))).toEqual([]);
});

test.each([
  [
    'ts',
    `import { readFileSync } from 'node:fs';\nexport const read = () => { readFileSync('/etc/hosts'); readFileSync(process.env.NX_ELSEWHERE + '/a'); readFileSync(process.env.NX_ELSEWHERE + '/b'); };\n`,
    'export const look = () => 1;\n',
  ],
  [
    'py',
    `import os, json, decimal\nfrom crystallize import data_source\n@data_source\ndef read(ctx):\n    open('/etc/hosts').read()\n    open(os.environ['NX_ELSEWHERE'] + '/a').read()\n`,
    'from crystallize import pipeline_step\n@pipeline_step()\ndef look(data, ctx): pass\n',
  ],
])(
  'one file outside of the workspace is warned about, if it is no part of the machine: %s',
  async (language, read, look) => {
    using outside = new Lab({ a: '1', b: '2' });
    using lab = new Lab({
      'e/config.yaml': 'replicates: 2\ndatasource: { all: read }\nsteps: [look]\n',
      [`e/datasources.${language}`]: read,
      [`e/steps.${language}`]: look,
    });
    vi.stubEnv('NX_ELSEWHERE', outside.root);
    vi.stubEnv('TMPDIR', '/nowhere');
    expect(warnings(await lab.run({ store: 'store', workers: 1 }))).toEqual([
      `e/baseline: reads ${outside.root}/a, outside of the workspace: a change of it goes unnoticed. Copied into the workspace it can be declared under "inputs"`,
    ]);
    vi.unstubAllEnvs();
  },
);

test('an input that matches nothing is warned about once, and one that a bracket makes match is not', async () => {
  using lab = new Lab({
    'e/config.yaml':
      'inputs: [data/*.cvs, "a (1)/*.csv", "b [(]1[)]/*.csv", folder, { env: NOT_SET }]\ntreatments: { high: {} }\ndatasource: { all: read }\nsteps: [look]\n',
    'e/datasources.ts': 'export const read = () => 1;\n',
    'e/steps.ts': 'export const look = () => 1;\n',
    'e/data/x.csv': 'x',
    'e/a (1)/x.csv': 'x',
    'e/b (1)/x.csv': 'x',
    'e/folder/x.csv': 'x',
  });
  for (const store of ['store', undefined]) {
    expect(warnings(await lab.run(store === undefined ? {} : { store }))).toEqual([
      'e/baseline: the input "e/data/*.cvs" matches no file',
      'e/baseline: the input "e/a (1)/*.csv" matches no file; a "(" or ")" of a name is written "[(]" or "[)]" beside a "*"',
    ]);
  }
});

test('the store notices a change of any file that was read, however it was read', async () => {
  using lab = new Lab(READING);
  await lab.run({ store: 'store', workers: 2 });
  const ran = async (): Promise<number> =>
    (await lab.run({ store: 'store' })).events.filter(({ type }) => type === 'replicate-finished').length;
  expect(await ran()).toBe(0);
  for (const file of [
    'e/by-descriptor.txt',
    'e/by-namespace.txt',
    'e/by-stream.txt',
    'e/by-url.txt',
    'shared/by-promise.txt',
  ]) {
    lab.write({ [file]: 'changed' });
    expect([file, await ran()]).toEqual([file, 4]);
    expect([file, await ran()]).toEqual([file, 0]);
  }
  lab.write({ 'e/never-read.txt': 'changed' });
  expect(await ran()).toBe(0);
  lab.write({ 'e/by-url.txt': 'x' });
  const { events } = await lab.run({ store: 'store' });
  expect(events.flatMap((event) => (event.type === 'condition-started' ? event.reasons : []))).toEqual([
    'by-url.txt changed',
  ]);
});

test('what another replicate of the experiment has read and kept counts too', async () => {
  using lab = new Lab({
    'e/config.yaml':
      'replicates: 3\ndatasource: { one: one }\nsteps: [look]\ntreatments: { high: { rate: 2 } }\n',
    'e/datasources.ts': 'export const one = () => 1;\n',
    'e/steps.ts': `import { readFileSync } from 'node:fs';
let kept: string | undefined;
export const look = (data: number, ctx: any) => { kept ??= readFileSync('kept.txt', 'utf8'); ctx.metrics.add('kept', kept.length); };
`,
    'e/kept.txt': 'x',
  });
  await lab.run({ store: 'store', workers: 1 });
  lab.write({ 'e/kept.txt': 'xyz' });
  await lab.run({ store: 'store', workers: 1 });
  expect([...lab.metric('e/baseline', 'kept'), ...lab.metric('e/high', 'kept')]).toEqual([3, 3, 3, 3, 3, 3]);
});

test('nothing is warned about when all that is read is declared', async () => {
  using lab = new Lab(READING);
  lab.write({
    'e/config.yaml': READING['e/config.yaml'].replace(
      '[declared.txt]',
      '["*.txt", "{workspaceRoot}/shared"]',
    ),
  });
  expect(warnings(await lab.run({ store: 'store' }))).toEqual([]);
});

test('a module by a path that nothing could follow is warned about', async () => {
  using lab = new Lab({
    'e/config.yaml': 'datasource: { one: one }\nsteps: [look]\n',
    'e/datasources.ts': 'export const one = () => 1;\n',
    'e/steps.ts':
      "export const look = async (d: number, ctx: any) => { const path = ctx.folder + '/../plugins/a.ts'; return (await import(path)).a; };\n",
    'plugins/a.ts': 'export const a = 1;\n',
  });
  expect(warnings(await lab.run({ store: 'store' }))).toEqual([
    'e/baseline: reads plugins/a.ts, which is not declared under "inputs": Nx does not notice a change of it',
  ]);
});

const DECLARING = {
  'e/config.yaml':
    'datasource: { one: one }\nsteps: [look]\ntreatments: { low: { flor: 1 } }\nparams: { floor: 2 }\n',
  'e/datasources.ts':
    "import { defineDatasource } from 'nx-experiments';\nexport const one = defineDatasource({}, () => 1);\n",
  'e/steps.ts':
    "import { defineStep } from 'nx-experiments';\nexport const look = defineStep({ floor: 0 }, (data: number) => data);\n",
};

test('a value that no function takes is told once, with the nearest parameter', async () => {
  using lab = new Lab(DECLARING);
  const { outcome, ...ran } = await lab.run({ workers: 2 });
  expect(logs({ outcome, ...ran })).toEqual([
    'no step or datasource has a parameter "flor". Did you mean "floor"?',
  ]);
  expect(outcome('e/low').status).toBe('succeeded');
});

test('a value of a treatment that arguments go before has no effect, and that is told', async () => {
  using lab = new Lab({
    ...DECLARING,
    'e/config.yaml':
      'datasource: { one: one }\nsteps: [{ look: { floor: 2 } }]\ntreatments: { low: { floor: 1 }, same: { floor: 2 } }\n',
  });
  expect(logs(await lab.run({ workers: 1 }))).toEqual([
    '"floor" has no effect here: arguments in "steps" or "datasource" go before it.',
  ]);
});

test.each([
  '(data: number, ctx: any) => ctx.params.flor',
  '(data: number, { params }: any) => params.flor',
  '(data: number, { random, ...rest }: any) => rest.params.flor',
  '(data: number, ctx: any) => read(ctx)',
  '(data: number, ctx: any) => ctx[key]',
  '(data: number, ctx: any = {}) => ctx.params',
  'function (data: number) { return arguments[1].params.flor; }',
  '(...all: any[]) => all[1].params.flor',
  'read.bind(undefined)',
])('a function that declares no parameters may look at any value: %s', async (look) => {
  const more = "const key = 'params';\nconst read = (x: any) => x;\n";
  using lab = new Lab({ ...DECLARING, 'e/steps.ts': `${more}export const look = ${look};\n` });
  expect(logs(await lab.run())).toEqual([]);
});

test.each([
  '() => 1',
  '(ctx: any) => ctx.random()',
  'function (ctx: any) { const own = () => ctx?.seed; return own(); }',
  '({ seed }: any) => seed',
  'async (ctx: any) => ctx.log(String(ctx.replicate))',
])('a function that takes nothing of the parameters hides no typing error: %s', async (one) => {
  using lab = new Lab({ ...DECLARING, 'e/datasources.ts': `export const one = ${one};\n` });
  expect(logs(await lab.run({ workers: 1 }))).toEqual([
    'no step or datasource has a parameter "flor". Did you mean "floor"?',
  ]);
});

test('a variable that code reads and nobody declares is warned about once an experiment', async () => {
  const steps =
    "import { size } from '../libs/size.ts';\nexport const look = () => size + (process.env.MODEL ?? '');\n";
  const config = 'treatments: { high: {} }\ndatasource: { one: one }\nsteps: [look]\n';
  const one = 'export const one = () => 1;\n';
  using lab = new Lab({
    'e/config.yaml': config,
    'e/datasources.ts': one,
    'e/steps.ts': steps,
    'declaring/config.yaml': `inputs: [{ env: MODEL }, { env: SIZE }]\n${config}`,
    'declaring/datasources.ts': one,
    'declaring/steps.ts': steps,
    'libs/size.ts': 'export const size = Number(process.env.SIZE ?? 1);\n',
  });
  const remedy = 'and a change of it goes unnoticed: declare { env';
  expect(warnings(await lab.run({ store: 'store' }))).toEqual([
    `e/baseline: e/steps.ts reads the environment variable MODEL, ${remedy}: MODEL } under "inputs"`,
    `e/baseline: libs/size.ts reads the environment variable SIZE, ${remedy}: SIZE } under "inputs"`,
  ]);
  expect(warnings(await lab.run({ store: 'store' }))).toEqual([]);
});
