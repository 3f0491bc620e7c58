import { expect, test } from 'vitest';
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

test('a file that is read and not declared is warned about once, however it is read', async () => {
  using lab = new Lab(READING);
  const told = warnings(await lab.run({ store: 'store', workers: 2 }));
  const files = [
    'e/by-descriptor.txt',
    'e/by-namespace.txt',
    'e/by-stream.txt',
    'e/by-url.txt',
    'shared/by-promise.txt',
  ];
  expect(told.sort()).toEqual(
    files.map(
      (file) =>
        `e/baseline: reads ${file}, which is not declared under "inputs": a change of it goes unnoticed`,
    ),
  );
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
    'e/baseline: reads plugins/a.ts, which is not declared under "inputs": a change of it goes unnoticed',
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

test('a function that declares no parameters may look at any value', async () => {
  using lab = new Lab({ ...DECLARING, 'e/steps.ts': 'export const look = (data: number) => data;\n' });
  expect(logs(await lab.run())).toEqual([]);
});
