import { appendFileSync, chmodSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../plugin/build/runtime/events.js';
import { COUNTING, CountingLab } from './counting-lab.ts';

/** A producer with an artifact and a consumer of it. */
function chain(replicates = 10): CountingLab {
  return new CountingLab({
    'producer/config.yaml': `replicates: ${replicates}
datasource: { one: one }
steps: [make]
outputs: { made: { file_name: made.json, writer: dump_json, loader: load_json } }
treatments: { high: { rate: 2 }, low: { rate: 0.5 } }
`,
    'producer/datasources.ts': 'export const one = () => 1;\n',
    'producer/steps.ts': `${COUNTING}
export const make = async (data: number, ctx: any) => {
  executed(ctx);
  await ctx.artifact('made').write([ctx.replicate, ctx.params.rate ?? 1]);
};
`,
    'consumer/config.yaml': 'datasource: { made: producer#made }\nsteps: [look]\n',
    'consumer/steps.ts': `${COUNTING}
export const look = (data: any, ctx: any) => { executed(ctx); ctx.metrics.add('made', data.made[1]); };
`,
  });
}

const reasonsOf = (events: readonly RunEvent[], id: string): readonly string[] =>
  events.flatMap((event) =>
    event.type === 'condition-started' && event.planned.id === id ? event.reasons : [],
  );

const warningsOf = (events: readonly RunEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [`${event.planned.id}: ${event.text}`] : []));

const objectsOf = (lab: CountingLab): string[] =>
  lab.files('store/v1/objects').map((path) => join(lab.root, 'store/v1/objects', path));

test('a second run executes nothing and writes the same bytes', async () => {
  using lab = chain();
  expect((await lab.count()).ran.outcomes.every(({ status }) => status === 'succeeded')).toBe(true);
  const before = lab.snapshot();
  const { counts } = await lab.count();
  expect(counts).toEqual({});
  expect(lab.snapshot()).toEqual(before);
});

test('results that are gone come back from the store', async () => {
  using lab = chain();
  await lab.count();
  const before = lab.snapshot();
  lab.remove('producer/results');
  lab.remove('consumer/results');
  expect((await lab.count()).counts).toEqual({});
  expect(lab.snapshot()).toEqual(before);
});

test('one value of one treatment: that condition, here and downstream, and the reason', async () => {
  using lab = chain(3);
  await lab.count();
  lab.replace('producer/config.yaml', 'rate: 2', 'rate: 3');
  const { counts, ran } = await lab.count();
  expect(counts).toEqual({ 'producer/high': 3, 'consumer/high': 3 });
  expect(reasonsOf(ran.events, 'producer/high')).toEqual(['rate 2 -> 3']);
  expect(reasonsOf(ran.events, 'consumer/high')).toEqual(['producer#made changed']);
});

test('from 10 to 20 replicates: ten of each condition', async () => {
  using lab = chain();
  await lab.count();
  lab.replace('producer/config.yaml', 'replicates: 10', 'replicates: 20');
  const { replicates, ran } = await lab.count();
  const added = Array.from({ length: 10 }, (_, i) => 10 + i);
  expect(Object.keys(replicates)).toHaveLength(6);
  for (const executed of Object.values(replicates)) expect(executed).toEqual(added);
  for (const id of Object.keys(replicates))
    expect(reasonsOf(ran.events, id)).toEqual(['new replicates 10-19']);
});

test('a crash at replicate 8: the rest runs, and the next run retries that one alone', async () => {
  using lab = chain();
  const fragile = 'producer/steps.ts';
  lab.replace(
    fragile,
    'executed(ctx);',
    "executed(ctx); if (ctx.replicate === 8 && process.env.CRASH) process.kill(process.pid, 'SIGKILL');",
  );
  process.env.CRASH = '1';
  const first = await lab.count({ only: ['producer/baseline'] });
  delete process.env.CRASH;
  expect(first.ran.outcome('producer/baseline').status).toBe('failed');
  expect(first.ran.failures('producer/baseline')).toHaveLength(1);
  const second = await lab.count({ only: ['producer/baseline'] });
  expect(second.replicates).toEqual({ 'producer/baseline': [8] });
  expect(reasonsOf(second.ran.events, 'producer/baseline')).toEqual(['replicate 8 not finished before']);
});

test.each([
  ['code', 'producer/steps.ts', (text: string) => `${text}// another version\n`],
  ['code that is loaded late', 'producer/late.ts', (text: string) => text.replace('1', '2')],
  ['a declared input', 'producer/data.txt', (text: string) => `${text}more\n`],
  ['a file that is saved as it was', 'producer/steps.ts', (text: string) => text],
])(
  '%s changes while it runs: nothing that finished afterwards is kept, also when it is changed back',
  async (_, file, edit) => {
    using lab = chain(6);
    lab.write({ 'producer/late.ts': 'export const late = 1;\n', 'producer/data.txt': 'data\n' });
    lab.append('producer/config.yaml', 'inputs: [data.txt]\n');
    lab.replace(
      'producer/steps.ts',
      'executed(ctx);',
      "executed(ctx); await new Promise((done) => setTimeout(done, 30)); if (ctx.replicate > 3) await import('./late.ts');",
    );
    const before = lab.read(file);
    let finished = 0;
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'replicate-finished' && ++finished === 2)
        setImmediate(() => lab.write({ [file]: edit(before) }));
    };
    const { ran } = await lab.count({ only: ['producer/baseline'], onEvent });
    expect(ran.outcome('producer/baseline').status).toBe('failed');
    expect(ran.failures('producer/baseline')).toEqual([
      expect.stringContaining(`${file} changed while it ran: its results could be of either version.`),
    ]);
    expect(lab.files('producer/results')).toEqual([]);
    lab.write({ [file]: before });
    const again = await lab.count({ only: ['producer/baseline'] });
    expect(again.ran.outcome('producer/baseline').status).toBe('succeeded');
    expect(again.replicates).toEqual({ 'producer/baseline': [2, 3, 4, 5] });
  },
);

test.each([
  ['a file that a declared glob matches', 'producer/data/new.txt'],
  ['a file in a new folder of a declared one', 'producer/folder/new/new.txt'],
  ['a declared file that was missing', 'producer/missing.txt'],
  ['a module that a computed import may reach', 'producer/models/new.ts'],
])(
  '%s appears while it runs: nothing that finished afterwards is kept, also when it is removed',
  async (_, file) => {
    using lab = chain(6);
    lab.write({
      'producer/data/old.txt': '',
      'producer/folder/old.txt': '',
      'producer/models/old.ts': 'export const model = 1;\n',
    });
    lab.append('producer/config.yaml', 'inputs: ["data/*.txt", folder, missing.txt]\n');
    lab.replace(
      'producer/steps.ts',
      'executed(ctx);',
      `executed(ctx); await import(\`./models/\${'old'}.ts\`); await new Promise((done) => setTimeout(done, 100));`,
    );
    let finished = 0;
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'replicate-finished' && ++finished === 2)
        setImmediate(() => lab.write({ [file]: '' }));
    };
    const { ran } = await lab.count({ only: ['producer/baseline'], onEvent });
    expect(ran.failures('producer/baseline')).toEqual([
      expect.stringContaining(`${file} changed while it ran: its results could be of either version.`),
    ]);
    lab.remove(file);
    const again = await lab.count({ only: ['producer/baseline'] });
    expect(again.ran.outcome('producer/baseline').status).toBe('succeeded');
    expect(again.replicates).toEqual({ 'producer/baseline': [2, 3, 4, 5] });
  },
);

test('what runs write themselves appears in no declared glob', async () => {
  using lab = chain(3);
  lab.append('producer/config.yaml', 'inputs: ["**/*.json"]\n');
  const { ran } = await lab.count();
  expect(ran.outcomes.map(({ status }) => status)).toEqual(ran.outcomes.map(() => 'succeeded'));
});

test('code that changes while it runs fails the condition without a store too: Nx would keep its results', async () => {
  using lab = chain(6);
  lab.replace(
    'producer/steps.ts',
    'executed(ctx);',
    'executed(ctx); await new Promise((done) => setTimeout(done, 30));',
  );
  let finished = 0;
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'replicate-finished' && ++finished === 2)
      setImmediate(() => lab.append('producer/steps.ts', '// another version\n'));
  };
  const ran = await lab.run({ only: ['producer/baseline'], onEvent });
  expect(ran.failures('producer/baseline')).toEqual([
    expect.stringContaining('producer/steps.ts changed while it ran'),
  ]);
  expect(lab.files('producer/results')).toEqual([]);
});

test('a run that is stopped keeps what it has finished', async () => {
  using lab = chain(6);
  const stop = new AbortController();
  let finished = 0;
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'replicate-finished' && ++finished === 3) stop.abort();
  };
  lab.replace(
    'producer/steps.ts',
    'executed(ctx);',
    'executed(ctx); await new Promise((done) => setTimeout(done, 50));',
  );
  const first = await lab.count({ only: ['producer/baseline'], signal: stop.signal, onEvent });
  expect(first.ran.outcome('producer/baseline').status).toBe('aborted');
  const second = await lab.count({ only: ['producer/baseline'] });
  expect(second.counts['producer/baseline']).toBe(6 - finished);
});

test('an upstream that runs again to the same artifact leaves the downstream alone, in one batch', async () => {
  using lab = chain(2);
  await lab.count();
  lab.append('producer/steps.ts', '// a comment\n');
  const { counts, ran } = await lab.count();
  expect(Object.keys(counts).sort()).toEqual(['producer/baseline', 'producer/high', 'producer/low']);
  expect(reasonsOf(ran.events, 'producer/low')).toEqual(['steps.ts changed']);
});

test('back to what was before, as by a Git branch: nothing runs', async () => {
  using lab = chain(2);
  await lab.count();
  const config = lab.read('producer/config.yaml');
  lab.replace('producer/config.yaml', 'rate: 2', 'rate: 7');
  await lab.count();
  lab.write({ 'producer/config.yaml': config });
  expect((await lab.count()).counts).toEqual({});
});

test('the strategy rerun executes everything, and what it finds is used from then on', async () => {
  using lab = chain(2);
  await lab.count();
  const { counts, ran } = await lab.count({ strategy: 'rerun', only: ['producer/low'] });
  expect(counts).toEqual({ 'producer/low': 2 });
  expect(reasonsOf(ran.events, 'producer/low')).toEqual(['asked to']);
  expect((await lab.count()).counts).toEqual({});
});

test('another checkout shares the store', async () => {
  using lab = chain(2);
  using other = chain(2);
  const store = join(lab.root, 'store');
  await lab.count({ store });
  expect((await other.count({ store })).counts).toEqual({});
  expect(other.snapshot()).toEqual(lab.snapshot());
});

test('two runs at once over one store come to the same results', async () => {
  using lab = chain(5);
  using other = chain(5);
  const store = join(lab.root, 'store');
  const [a, b] = await Promise.all([lab.run({ store }), other.run({ store })]);
  expect([...a.outcomes, ...b.outcomes].every(({ status }) => status === 'succeeded')).toBe(true);
  expect(other.snapshot()).toEqual(lab.snapshot());
  expect((await lab.count({ store })).counts).toEqual({});
});

test('complete results with artifacts are left in place, not written again', async () => {
  using lab = chain(3);
  await lab.count();
  const inodes = () =>
    lab
      .files('.')
      .filter((path) => path.includes('/results/'))
      .map((path) => `${path} ${statSync(join(lab.root, path)).ino}`);
  const before = inodes();
  expect(before.some((line) => line.includes('made.json'))).toBe(true);
  expect((await lab.count()).counts).toEqual({});
  expect(inodes()).toEqual(before);
});

test.each([
  ['edited', (path: string) => writeFileSync(path, '[0,99]')],
  ['missing', (path: string) => rmSync(path)],
  ['joined by a file of somebody else', (path: string) => writeFileSync(`${path}.bak`, '')],
])('results with an artifact that is %s are put right, and no step runs', async (_what, damage) => {
  using lab = chain(3);
  await lab.count({ only: ['producer/high'] });
  const before = lab.snapshot();
  damage(join(lab.root, 'producer/results/high/artifacts/replicate_1/made.json'));
  expect(lab.snapshot()).not.toEqual(before);
  expect((await lab.count({ only: ['producer/high'] })).counts).toEqual({});
  expect(lab.snapshot()).toEqual(before);
});

test('a damaged artifact in the store is named, and its replicate runs again', async () => {
  using lab = chain(3);
  await lab.count({ only: ['producer/high'] });
  const before = lab.snapshot();
  const [object = ''] = objectsOf(lab);
  chmodSync(object, 0o644);
  appendFileSync(object, ' ');
  lab.remove('producer/results');
  const { counts, ran } = await lab.count({ only: ['producer/high'] });
  expect(counts).toEqual({ 'producer/high': 1 });
  expect(warningsOf(ran.events)).toHaveLength(1);
  expect(warningsOf(ran.events)[0]).toMatch(
    /^producer\/high: replicate \d runs again: the artifact [0-9a-f]{12} in the store was damaged, and is removed$/,
  );
  expect(lab.snapshot()).toEqual(before);
  expect((await lab.count({ only: ['producer/high'] })).counts).toEqual({});
});

test.each([
  ['a flipped bit', (text: string) => text.replace('"rate"', '"rbte"').replace('[1]', '[2]')],
  ['a cut line', (text: string) => text.slice(0, -5)],
])('%s in a record is not read', async (_what, damage) => {
  using lab = chain(3);
  await lab.count({ only: ['consumer/baseline'] });
  for (const path of lab.files('store/v1/records')) {
    const file = `store/v1/records/${path}`;
    const text = lab.read(file);
    if (text.includes('made.json')) continue;
    lab.write({ [file]: damage(text) });
  }
  lab.remove('consumer/results'); // what lies in place needs no record
  const { counts } = await lab.count({ only: ['consumer/baseline'] });
  expect(Object.keys(counts)).toEqual(['consumer/baseline']);
});

test('an edited upstream artifact is named and restored before it is read', async () => {
  using lab = chain(2);
  await lab.count();
  const path = 'producer/results/high/artifacts/replicate_1/made.json';
  const before = lab.read(path);
  lab.append(path, ' ');
  const { counts, ran } = await lab.count({ only: ['consumer/high'], alone: true });
  expect(counts).toEqual({});
  expect(warningsOf(ran.events)).toEqual([
    `consumer/high: ${path} was damaged, and is restored from the store`,
  ]);
  expect(lab.read(path)).toBe(before);
});

test('an edited upstream artifact is an error where no store can restore it', async () => {
  using lab = chain(2);
  await lab.count();
  const path = 'producer/results/high/artifacts/replicate_1/made.json';
  lab.append(path, ' ');
  const { counts, ran } = await lab.count({ only: ['consumer/high'], alone: true, store: 'elsewhere' });
  expect(counts).toEqual({});
  expect(ran.failures('consumer/high')).toEqual([
    `*: ${path} is not what its run wrote: it was damaged or edited. Run the condition "high" of "producer" again, with --skip-nx-cache.`,
  ]);
});

test('editing results does not change the store', async () => {
  using lab = chain(2);
  await lab.count();
  const inodes = objectsOf(lab).map((path) => statSync(path).ino);
  for (const path of lab.files('producer/results').filter((file) => file.endsWith('made.json'))) {
    expect(inodes).not.toContain(statSync(join(lab.root, 'producer/results', path)).ino);
  }
});

test('the store keeps to itself: Git and Nx are told to leave it alone', async () => {
  using lab = chain(1);
  await lab.count();
  expect(lab.read('store/.gitignore')).toBe('*\n');
  expect(readdirSync(join(lab.root, 'store')).sort()).toEqual(['.gitignore', 'v1']);
  expect(lab.files('store/v1/tmp')).toEqual([]);
});

test('complete results that lie in place are left as they are, and only while they are what was written', async () => {
  using lab = chain(3);
  lab.write({
    'leaf/config.yaml': 'replicates: 3\ndatasource: { one: one }\nsteps: [look]\n',
    'leaf/datasources.ts': 'export const one = () => 1;\n',
    'leaf/steps.ts': `${COUNTING}\nexport const look = (data: number, ctx: any) => { executed(ctx); ctx.metrics.add('seed', ctx.seed); };\n`,
  });
  const path = 'leaf/results/baseline/metrics.json';
  const inode = (): number => statSync(join(lab.root, path)).ino;
  await lab.count();
  const [text, first] = [lab.read(path), inode()];
  const again = await lab.count();
  expect([again.counts, again.ran.outcome('leaf/baseline').reused, inode()]).toEqual([{}, 3, first]);

  lab.write({ [path]: text.replace('31337', '31338') });
  expect((await lab.count()).counts).toEqual({});
  expect(lab.read(path)).toBe(text);

  lab.append('leaf/steps.ts', '// a comment\n');
  expect((await lab.count()).counts).toEqual({ 'leaf/baseline': 3 });
  expect((await lab.count({ replicates: 2 })).ran.outcome('leaf/baseline').reused).toBe(2);
  expect(lab.manifest('leaf/baseline').replicates).toHaveLength(2);
  await lab.count();
  expect(lab.read(path)).toBe(text);
  expect((await lab.count({ seed: 5 })).counts['leaf/baseline']).toBe(3);
  expect((await lab.count({ strategy: 'rerun', only: ['leaf/baseline'] })).counts).toEqual({
    'leaf/baseline': 3,
  });
});
