import { expect, test } from 'vitest';
import { Lab } from '../../support/engine.ts';

/** How many replicates a run executes. */
async function ran(lab: Lab): Promise<number> {
  const { events } = await lab.run({ store: 'store', workers: 1 });
  return events.filter(({ type }) => type === 'replicate-finished').length;
}

test('what only a replicate that failed was seen to read counts for the others', async () => {
  using lab = new Lab({
    'e/config.yaml': 'replicates: 4\ndatasource: { all: read }\nsteps: [look]\n',
    'e/datasources.ts': `import { readFileSync } from 'node:fs';
export const read = () => readFileSync('unlisted.txt', 'utf8').length;
`,
    'e/steps.ts':
      "export const look = (d: number, ctx: any) => { if (ctx.replicate === 0) throw new Error('unlucky'); ctx.metrics.add('size', d); };\n",
    'e/unlisted.txt': 'x',
  });
  expect(await ran(lab)).toBe(3);
  expect(await ran(lab)).toBe(0);
  lab.write({ 'e/unlisted.txt': 'xyz' });
  expect(await ran(lab)).toBe(3);
});

test('results that are read by their path count, whosever they are', async () => {
  using lab = new Lab({
    'other/results/table.txt': 'x',
    'results/table.txt': 'x',
    'e/config.yaml': 'replicates: 2\ndatasource: { all: read }\nsteps: [look]\n',
    'e/datasources.ts': `import { readFileSync } from 'node:fs';
export const read = () => readFileSync('../other/results/table.txt', 'utf8') + readFileSync('../results/table.txt', 'utf8');
`,
    'e/steps.ts': "export const look = (d: string, ctx: any) => { ctx.metrics.add('size', d.length); };\n",
  });
  for (const file of ['other/results/table.txt', 'results/table.txt']) {
    await ran(lab);
    expect(await ran(lab)).toBe(0);
    lab.write({ [file]: 'xyz' });
    expect([file, await ran(lab)]).toEqual([file, 2]);
  }
});

test('a file that appears in a folder that was listed counts', async () => {
  using lab = new Lab({
    'e/config.yaml': 'replicates: 2\ndatasource: { all: read }\nsteps: [look]\n',
    'e/datasources.ts': `import { readdirSync, promises, opendirSync } from 'node:fs';
export const read = async () => {
  const dir = opendirSync('c'); dir.closeSync();
  return readdirSync('a', { recursive: true }).length + (await promises.readdir('b')).length;
};
`,
    'e/steps.ts': "export const look = (d: number, ctx: any) => { ctx.metrics.add('count', d); };\n",
    'e/a/b/1.txt': 'x',
    'e/b/1.txt': 'x',
    'e/c/1.txt': 'x',
  });
  await ran(lab);
  for (const file of ['e/a/b/2.txt', 'e/b/2.txt', 'e/c/2.txt']) {
    expect(await ran(lab)).toBe(0);
    lab.write({ [file]: 'x' });
    expect([file, await ran(lab)]).toEqual([file, 2]);
  }
});

test('so does one in a folder that Python has listed, and none where it has looked for modules', async () => {
  using lab = new Lab({
    'e/config.yaml': 'replicates: 2\ndatasource: { all: read }\nsteps: [look]\n',
    'e/datasources.py': `import glob, os, pathlib
import helper
from crystallize import data_source
@data_source
def read(ctx):
    return len(os.listdir("a")) + len(glob.glob("b/*.txt")) + len(list(pathlib.Path("c").rglob("*")))
`,
    'e/helper.py': 'VALUE = 1\n',
    'e/steps.py': `from crystallize import pipeline_step
@pipeline_step()
def look(data, ctx):
    ctx.metrics.add("count", data)
`,
    'e/a/1.txt': 'x',
    'e/b/1.txt': 'x',
    'e/c/d/1.txt': 'x',
  });
  expect(await ran(lab)).toBe(2);
  for (const file of ['e/a/2.txt', 'e/b/2.txt', 'e/c/d/2.txt']) {
    expect(await ran(lab)).toBe(0);
    lab.write({ [file]: 'x' });
    expect([file, await ran(lab)]).toEqual([file, 2]);
  }
  lab.write({ 'e/notes.md': 'x' });
  expect(await ran(lab)).toBe(0);
});

test.each([
  [
    'ts',
    "import { readFileSync } from 'node:fs';\nexport const read = async (ctx: any) => { const text = readFileSync('unlisted.txt', 'utf8'); if (ctx.replicate === 1) (await import('node:fs')).writeFileSync('unlisted.txt', 'xyz'); return text; };\n",
    "export const look = (d: string, ctx: any) => { ctx.metrics.add('size', d.length); };\n",
  ],
  [
    'py',
    `from crystallize import data_source
@data_source
def read(ctx):
    text = open('unlisted.txt').read()
    if ctx.get('replicate') == 1: open('unlisted.txt', 'w').write('xyz')
    return text
`,
    "from crystallize import pipeline_step\n@pipeline_step()\ndef look(data, ctx): ctx.metrics.add('size', len(data))\n",
  ],
])('what is written to after it was read is kept for nobody: %s', async (language, read, look) => {
  using lab = new Lab({
    'e/config.yaml': 'replicates: 3\ndatasource: { all: read }\nsteps: [look]\n',
    [`e/datasources.${language}`]: read,
    [`e/steps.${language}`]: look,
    'e/unlisted.txt': 'x',
  });
  const { events } = await lab.run({ store: 'store', workers: 1 });
  expect(events.flatMap((event) => (event.type === 'warning' ? [event.text] : []))).toEqual([
    'reads e/unlisted.txt, which was written to after that and is not declared under "inputs": what finishes from then on is not kept',
  ]);
  expect(lab.metric('e/baseline', 'size')).toEqual([1, 1, 3]);
  // The file holds "xyz" from the beginning now.
  expect(await ran(lab)).toBe(3);
  expect(lab.metric('e/baseline', 'size')).toEqual([3, 3, 3]);
});
