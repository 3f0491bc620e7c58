import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRunRecord } from '../support/run-records.ts';
import { block, type Workspace, workspace } from '../support/workspace.ts';

/** prep -> train -> judge, and alt; each appends a line to the trace that it reads. */
const CHAIN = {
  'libs/trace.mjs': `
    import { readFileSync } from 'node:fs';
    import { defineStep, withMetrics } from 'nx-experiments';
    export const nothing = () => [];
    export const append = defineStep({ level: 0 }, async (data, { level }, ctx) => {
      const before = Array.isArray(data) ? data : data.before;
      const trace = [...before, ctx.experiment + '=' + level];
      await ctx.artifact('trace').write(trace);
      return withMetrics(trace, { level, noise: ctx.random() + Math.random() });
    });
    export const dump = (trace) => JSON.stringify(trace);
    export const load = (path) => JSON.parse(readFileSync(path, 'utf8'));
  `,
  ...experiment(
    'prep',
    'nothing',
    'only_prep: { level: 1 }, everywhere: { level: 9 }',
    'replicates: 2\nseed: 7',
  ),
  ...experiment('train', 'prep#trace', 'everywhere: { level: 9 }'),
  ...experiment('alt', 'nothing', '', 'replicates: 2'),
  ...experiment(
    'judge',
    'train#trace',
    'only_judge: { level: 1 }, everywhere: { level: 9 }, swapped: { datasource: { before: alt#trace } }',
  ),
};

function experiment(name: string, source: string, treatments: string, more = ''): Record<string, string> {
  const modules = ['datasources', 'steps', 'outputs'].map((kind) => [
    `experiments/${name}/${kind}.mjs`,
    "export * from '../../libs/trace.mjs';\n",
  ]);
  const config = `
datasource: { before: ${source} }
steps: [append]
outputs: { trace: { file_name: trace.json, writer: dump, loader: load } }
treatments: { ${treatments} }
${more}
`;
  return { ...Object.fromEntries(modules), [`experiments/${name}/config.yaml`]: config };
}

const TABLE = `judge: 5 conditions

  metric  condition       mean ± sd  n  vs baseline [95 % interval]  d_z  verdict
  ------  ----------  -------------  -  ---------------------------  ---  --------
  level   baseline            0 ± 0  2
          only_judge          1 ± 0  2                  +1 [+1, +1]    ∞  (higher)
          everywhere          9 ± 0  2                  +9 [+9, +9]    ∞  (higher)
          swapped             0 ± 0  2                     0 [0, 0]       same
          only_prep           0 ± 0  2                     0 [0, 0]       same
  noise   baseline    0.566 ± 0.483  2
          only_judge  0.566 ± 0.483  2         0.000 [0.000, 0.000]       same
          everywhere  0.566 ± 0.483  2         0.000 [0.000, 0.000]       same
          swapped     0.566 ± 0.483  2         0.000 [0.000, 0.000]       same
          only_prep   0.566 ± 0.483  2         0.000 [0.000, 0.000]       same
  (verdict): no hypothesis decides; paired t test at 0.05, Holm over 2`;

const TASKS = [
  'alt:experiment--baseline',
  'judge:experiment',
  'judge:experiment--baseline',
  'judge:experiment--everywhere',
  'judge:experiment--only_judge',
  'judge:experiment--only_prep',
  'judge:experiment--swapped',
  'prep:experiment--baseline',
  'prep:experiment--everywhere',
  'prep:experiment--only_prep',
  'train:experiment--baseline',
  'train:experiment--everywhere',
  'train:experiment--only_prep',
];

let ws: Workspace;

beforeAll(async () => {
  // As users have it: the plugin in a process of its own.
  ws = await workspace(CHAIN, { env: { NX_ISOLATE_PLUGINS: 'true' } });
});

afterAll(() => ws[Symbol.asyncDispose]());

test('an unknown option is refused before anything runs', async () => {
  const { code, stdout } = await ws.nx('run prep:experiment--baseline --replicate=1');
  expect(code).toBe(1);
  expect(block(stdout, 'prep:experiment--baseline --replicate=1')).toBe(
    'Unknown option "--replicate". Did you mean "--replicates"?',
  );
  const number = await ws.nx('run prep:experiment --replicates=0');
  expect(number.code).toBe(1);
  expect(block(number.stdout, 'prep:experiment--baseline --replicates=0')).toBe(
    '"--replicates=0" must be a whole number from 1 to 10000000.',
  );
  expect(ws.has('experiments/prep/results')).toBe(false);
});

test('one condition runs what it reads and nothing else', async () => {
  const { code, ran, cached } = await ws.nx('run judge:experiment--only_judge');
  expect(code).toBe(0);
  expect({ ran, cached }).toEqual({
    ran: ['judge:experiment--only_judge', 'prep:experiment--baseline', 'train:experiment--baseline'],
    cached: [],
  });
});

test('the experiment runs what is missing, and is replayed from the cache', async () => {
  const first = await ws.nx('run judge:experiment');
  expect(first.code).toBe(0);
  expect(first.cached).toEqual([
    'judge:experiment--only_judge',
    'prep:experiment--baseline',
    'train:experiment--baseline',
  ]);
  expect([...first.ran, ...first.cached].sort()).toEqual(TASKS);
  const table = block(first.stdout, 'judge:experiment');
  expect(table).toBe(TABLE);

  const before = await ws.contents('experiments');
  await ws.remove('experiments/judge/results');
  await ws.remove('experiments/prep/results');
  const second = await ws.nx('run judge:experiment');
  expect(second).toMatchObject({ code: 0, ran: [], cached: TASKS });
  expect(block(second.stdout, 'judge:experiment  [local cache]')).toBe(table);
  expect(second.output).toContain(
    'Nx read the output from the cache instead of running the command for 13 out of 13',
  );
  expect(await ws.contents('experiments/judge')).toEqual(within(before, 'judge'));
});

test('a treatment reaches every experiment behind the one that defines it', async () => {
  const traceOf = async (condition: string): Promise<string[]> =>
    JSON.parse(await ws.read(`experiments/judge/results/${condition}/artifacts/replicate_1/trace.json`));
  expect(await traceOf('baseline')).toEqual(['prep=0', 'train=0', 'judge=0']);
  expect(await traceOf('only_prep')).toEqual(['prep=1', 'train=0', 'judge=0']);
  expect(await traceOf('only_judge')).toEqual(['prep=0', 'train=0', 'judge=1']);
  expect(await traceOf('everywhere')).toEqual(['prep=9', 'train=9', 'judge=9']);
  expect(await traceOf('swapped')).toEqual(['alt=0', 'judge=0']);
});

test('--replicates reaches the upstream tasks, and leaves the full results in the cache', async () => {
  const quick = await ws.nx('run train:experiment--baseline --replicates=1');
  expect(quick).toMatchObject({
    code: 0,
    ran: ['prep:experiment--baseline', 'train:experiment--baseline'],
    cached: [],
  });
  for (const name of ['prep', 'train']) {
    expect(Object.keys(await ws.contents(`experiments/${name}/results/baseline/artifacts`))).toEqual([
      'replicate_0/trace.json',
    ]);
  }
  const full = await ws.nx('run train:experiment--baseline');
  expect(full).toMatchObject({ code: 0, ran: [] });
  expect(Object.keys(await ws.contents('experiments/train/results/baseline/artifacts'))).toEqual([
    'replicate_0/trace.json',
    'replicate_1/trace.json',
  ]);
});

test('a rerun from nothing, in one batch or a process for each task, gives the same bytes', async () => {
  await ws.nx('run train:experiment', { NX_ISOLATE_PLUGINS: 'false' });
  const before = withoutLogs(await ws.contents('experiments/train/results'));
  expect(Object.keys(before)).toHaveLength(11);
  for (const option of ['--batch', '--batch=false']) {
    await ws.remove('experiments/train/results');
    await ws.remove('experiments/prep/results');
    const { code, ran } = await ws.nx(`run train:experiment ${option} --skip-nx-cache`, {
      NX_EXPERIMENTS_STORE: 'off',
      NX_ISOLATE_PLUGINS: 'false',
    });
    expect({ option, code, ran }).toMatchObject({ code: 0, ran: { length: 7 } });
    expect(withoutLogs(await ws.contents('experiments/train/results'))).toEqual(before);
  }
});

function within(files: Record<string, string>, folder: string): Record<string, string> {
  const prefix = `${folder}/`;
  return Object.fromEntries(
    Object.entries(files).flatMap(([path, text]) =>
      path.startsWith(prefix) ? [[path.slice(prefix.length), text]] : [],
    ),
  );
}

/** All but times. */
function withoutLogs(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !isRunRecord(path)));
}
