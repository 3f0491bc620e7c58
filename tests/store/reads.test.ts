import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../plugin/build/runtime/events.js';
import { COUNTING, CountingLab } from './counting-lab.ts';

/** An experiment whose step measures what nobody declared. */
function measuring(expression: string, files: Record<string, string>): CountingLab {
  return new CountingLab({
    'e/config.yaml': 'datasource: { one: one }\nsteps: [measure]\n',
    'e/datasources.ts': 'export const one = () => 1;\n',
    'e/steps.ts': `${COUNTING}
import * as fs from 'node:fs';
export const measure = async (data: number, ctx: any) => {
  executed(ctx);
  ctx.metrics.add('seen', ${expression});
};
`,
    ...files,
  });
}

test.each<readonly [string, string, Record<string, string>, Record<string, string>]>([
  [
    'a file that a listed folder gains',
    "fs.readdirSync('data').length",
    { 'e/data/a': '' },
    { 'e/data/b': '' },
  ],
  [
    'a file of a folder in a folder that is listed with all below it',
    "(await fs.promises.readdir('data', { recursive: true })).length",
    { 'e/data/a/a': '' },
    { 'e/data/a/b': '' },
  ],
  [
    'a file that is copied',
    "(fs.copyFileSync('data', process.env.NX_EXECUTIONS + '.copy'), fs.readFileSync(process.env.NX_EXECUTIONS + '.copy').length)",
    { 'e/data': '1' },
    { 'e/data': '12' },
  ],
  [
    'a file of a folder that happens to be named results',
    "fs.readFileSync('../data/results/a').length",
    { 'data/results/a': '1' },
    { 'data/results/a': '12' },
  ],
  [
    'a module of a folder that happens to be named results, by a computed import',
    "(await import('../code/results/' + 'a.ts')).size",
    { 'code/results/a.ts': 'export const size = 1;\n' },
    { 'code/results/a.ts': 'export const size = 2;\n' },
  ],
])('%s changes what was computed', async (_, expression, files, changed) => {
  using lab = measuring(expression, files);
  await lab.count();
  expect((await lab.count()).counts).toEqual({});
  const [before] = lab.metric('e/baseline', 'seen');
  lab.write(changed);
  expect((await lab.count()).counts).toEqual({ 'e/baseline': 1 });
  expect(lab.metric('e/baseline', 'seen')).toEqual([Number(before) + 1]);
});

const READERS = {
  'a module that keeps it': {
    'e/steps.ts': `${COUNTING}
import { readFileSync } from 'node:fs';
const kept = Number(readFileSync('data.txt', 'utf8'));
export const measure = async (data: number, ctx: any) => {
  executed(ctx);
  await new Promise((done) => setTimeout(done, 250));
  ctx.metrics.add('seen', kept);
};
`,
    'e/datasources.ts': 'export const one = () => 1;\n',
  },
  'a step': {
    'e/steps.ts': `${COUNTING}
import { readFileSync } from 'node:fs';
export const measure = async (data: number, ctx: any) => {
  const read = Number(readFileSync('data.txt', 'utf8'));
  executed(ctx);
  await new Promise((done) => setTimeout(done, 250));
  ctx.metrics.add('seen', read);
};
`,
    'e/datasources.ts': 'export const one = () => 1;\n',
  },
  'a step in Python': {
    'e/steps.py': `import os, time
from crystallize import pipeline_step
@pipeline_step()
def measure(data, ctx):
    with open('data.txt') as file: read = float(file.read())
    with open(os.environ['NX_EXECUTIONS'], 'a') as log: log.write(f'e/baseline {ctx["replicate"]}\\n')
    time.sleep(0.25)
    return data, {'seen': read}
`,
    'e/datasources.py': 'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
  },
};

test.each(Object.entries(READERS))(
  'a file that nobody declared is written to after %s has read it: what was computed with it is not kept',
  async (_, files) => {
    using lab = new CountingLab({
      'e/config.yaml': 'replicates: 4\ndatasource: { one: one }\nsteps: [measure]\n',
      'e/data.txt': '1',
      ...files,
    });
    const texts: string[] = [];
    let finished = 0;
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'warning') texts.push(event.text);
      if (event.type === 'replicate-finished' && ++finished === 2) lab.write({ 'e/data.txt': '2' });
    };
    await lab.count({ onEvent });
    expect(texts).toEqual([
      'reads e/data.txt, which was written to after that and is not declared under "inputs": what finishes from then on is not kept',
    ]);
    // What had finished before is kept.
    lab.write({ 'e/data.txt': '1' });
    expect((await lab.count()).replicates['e/baseline']).toEqual([1, 2, 3]);
    expect(lab.metric('e/baseline', 'seen')).toEqual([1, 1, 1, 1]);
    lab.write({ 'e/data.txt': '2' });
    await lab.count();
    expect(lab.metric('e/baseline', 'seen')).toEqual([2, 2, 2, 2]);
  },
);

test('a folder in which Python looks for modules is not taken for one that is listed', async () => {
  using lab = new CountingLab({
    'e/config.yaml': 'datasource: { one: one }\nsteps: [measure]\n',
    'e/datasources.py': 'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
    'e/steps.py': `import os, helper
from crystallize import pipeline_step
@pipeline_step()
def measure(data, ctx):
    with open(os.environ['NX_EXECUTIONS'], 'a') as log: log.write('e/baseline 0\\n')
    return data, {'seen': len(os.listdir('data'))}
`,
    'e/helper.py': '',
    'e/data/a': '',
  });
  await lab.count();
  lab.write({ 'e/notes.txt': '', 'notes.txt': '' });
  mkdirSync(join(lab.root, 'e', 'other'));
  expect((await lab.count()).counts).toEqual({});
  lab.write({ 'e/data/b': '' });
  expect((await lab.count()).counts).toEqual({ 'e/baseline': 1 });
  expect(lab.metric('e/baseline', 'seen')).toEqual([2]);
});
