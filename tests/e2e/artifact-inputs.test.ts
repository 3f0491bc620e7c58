import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/workspace.ts';

/** An experiment whose replicates write what `values` says. */
const writing = (values: string): string => `
const values = ${values};
export const publish = async (numbers, ctx) => {
  await ctx.artifact('sum').write(values[ctx.replicate] ?? 0);
  await ctx.artifact('note').write('noted');
  return numbers;
};
`;
const OUTPUTS =
  'outputs: { sum: { file_name: "sum [1].json", writer: dump_json, loader: load_json }, note: { file_name: note.txt } }\n';
const reading = (reference: string): string => `datasource: { sum: ${reference} }\nsteps: [measure]\n`;
const MEASURE =
  "import { withMetrics } from 'nx-experiments';\nexport const measure = (data) => withMetrics(data, { sum: data.sum });\n";

const FILES = {
  'experiments/up/config.yaml': `replicates: 2\ndatasource: { numbers: numbers }\nsteps: [publish]\n${OUTPUTS}`,
  'experiments/up/datasources.mjs': 'export const numbers = () => [];\n',
  'experiments/up/steps.mjs': writing('[1, 2, 3, 4]'),
  'experiments/down/config.yaml': `replicates: 2\n${reading('up#sum')}`,
  'experiments/down/steps.mjs': MEASURE,
  'experiments/wide/config.yaml': `replicates: 33\ndatasource: { numbers: numbers }\nsteps: [publish]\n${OUTPUTS}`,
  'experiments/wide/datasources.mjs': 'export const numbers = () => [];\n',
  'experiments/wide/steps.mjs': writing('Array.from({ length: 33 }, () => 1)'),
  'experiments/below/config.yaml': `replicates: 33\n${reading('wide#sum')}`,
  'experiments/below/steps.mjs': MEASURE,
};

let ws: Workspace;

beforeAll(async () => {
  ws = await workspace(FILES);
  const { code, output } = await ws.nx('run-many -t experiment');
  expect(code, output).toBe(0);
});

afterAll(() => ws[Symbol.asyncDispose]());

const DOWN = ['down:experiment', 'down:experiment--baseline'];

/** Runs what is upstream on its own: in one batch with it, Nx runs what reads it, and does not look it up. */
async function runUpstream(args = 'up:experiment', where = ws): Promise<void> {
  const { code, output } = await where.nx(`run ${args}`);
  expect(code, output).toBe(0);
}

async function sums(experiment = 'down'): Promise<number[]> {
  const text = await ws.read(`experiments/${experiment}/results/baseline/metrics.json`);
  return [...text.matchAll(/"sum":\[(\d+)\]/g)].map(([, sum]) => Number(sum));
}

describe('a changed artifact', () => {
  test.each([
    ['the first', '[1, 2', '[10, 2', [10, 2]],
    ['the last', '[10, 2', '[10, 20', [10, 20]],
  ])('of %s replicate reaches who reads it', async (_, from, to, expected) => {
    await ws.edit('experiments/up/steps.mjs', from, to);
    await runUpstream();
    const { code, ran, output } = await ws.nx('run down:experiment');
    expect({ code, ran }, output).toEqual({ code: 0, ran: DOWN });
    expect(await sums()).toEqual(expected);
  });

  test('that nobody reads stops there', async () => {
    await ws.edit('experiments/up/steps.mjs', "write('noted')", "write('noted again')");
    await runUpstream();
    expect(await ws.nx('run down:experiment')).toMatchObject({ code: 0, ran: [] });
  });

  test('of one of many replicates reaches who reads it', async () => {
    await ws.edit('experiments/wide/steps.mjs', '() => 1', '(_, i) => (i === 32 ? 5 : 1)');
    await runUpstream('wide:experiment');
    const { code, ran, output } = await ws.nx('run below:experiment');
    expect({ code, ran }, output).toEqual({
      code: 0,
      ran: ['below:experiment', 'below:experiment--baseline'],
    });
    expect((await sums('below')).at(-1)).toBe(5);
  });
});

describe('replicates that the config of the upstream does not have', () => {
  const run = async () => {
    await runUpstream('up:experiment--baseline --replicates=4');
    return ws.nx('run down:experiment --replicates=4');
  };

  test('are noticed when they change', async () => {
    expect((await run()).code).toBe(0);
    expect(await sums()).toEqual([10, 20, 3, 4]);
    await ws.edit('experiments/up/steps.mjs', '3, 4]', '3, 40]');
    const changed = await run();
    expect({ code: changed.code, ran: changed.ran }, changed.output).toEqual({ code: 0, ran: DOWN });
    expect(await sums()).toEqual([10, 20, 3, 40]);
    await ws.edit('experiments/up/steps.mjs', '3, 40]', '3, 4]');
    expect(await run()).toMatchObject({ code: 0, ran: [] });
    expect(await sums()).toEqual([10, 20, 3, 4]);
  });

  test('leave nothing behind where nobody asks for them', async () => {
    expect(await ws.nx('run down:experiment')).toMatchObject({ code: 0, ran: [] });
    await expect(ws.read('experiments/up/results/baseline/further-artifacts.json')).rejects.toThrow('ENOENT');
  });

  test('are noticed also where results of a config that had them lie in place', async () => {
    const declared = (from: number, to: number) =>
      ws.edit('experiments/up/config.yaml', `replicates: ${from}`, `replicates: ${to}`);
    await declared(2, 4);
    await ws.edit('experiments/up/steps.mjs', '3, 4]', '3, 41]');
    await runUpstream('up:experiment --skip-nx-cache');
    await declared(4, 2);
    expect((await run()).code).toBe(0);
    expect(await sums()).toEqual([10, 20, 3, 41]);
    await declared(2, 4);
    await ws.edit('experiments/up/steps.mjs', '3, 41]', '3, 42]');
    await runUpstream('up:experiment --skip-nx-cache');
    await declared(4, 2);
    expect((await run()).code).toBe(0);
    expect(await sums()).toEqual([10, 20, 3, 42]);
  });
});

test('under a daemon, a file of the same size and time is not taken for the one before', async () => {
  await using long = await workspace(
    {
      ...FILES,
      'experiments/up/steps.mjs': `
import { utimesSync, writeFileSync } from 'node:fs';
export const publish = (numbers, ctx) => {
  const { path } = ctx.artifact('sum');
  writeFileSync(path, '1');
  utimesSync(path, 1e9, 1e9);
  writeFileSync(ctx.artifact('note').path, '');
};
`,
    },
    { env: { NX_DAEMON: 'true', NX_ISOLATE_PLUGINS: 'true' } },
  );
  let before = 1;
  // The last one is in Nx's cache, by the hash that followed from the file.
  for (const value of [1, 2, 3, 2]) {
    if (value !== before)
      await long.edit('experiments/up/steps.mjs', `path, '${before}'`, `path, '${value}'`);
    before = value;
    const { code, output } = await long.nx('run down:experiment');
    expect(code, output).toBe(0);
    expect(await long.read('experiments/down/results/report/summary.json')).toContain(`"mean":${value}`);
  }
  expect((await long.nx('daemon --stop')).code).toBe(0);
});
