import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { ExperimentGraph } from 'nx-experiments';
import { describe, expect, test } from 'vitest';
import { comparableOf } from '../../plugin/runtime/comparable.ts';
import { config, experiment, Lab } from '../support/engine.ts';

const end = (condition: string, missing?: string, succeeded = missing === undefined) => ({
  condition,
  succeeded,
  missing,
});

describe('what can be compared', () => {
  test('is every condition that has results, also when a replicate failed', () => {
    expect(comparableOf([end('baseline'), end('a', undefined, false), end('b', 'it failed')])).toEqual({
      conditions: ['baseline', 'a'],
      missing: [{ condition: 'b', reason: 'it failed' }],
      unsuccessful: ['a', 'b'],
    });
  });
  test('is nothing without the baseline, or with nothing beside it', () => {
    expect(comparableOf([end('baseline', 'it failed'), end('a'), end('b')])).toBeUndefined();
    expect(comparableOf([end('baseline'), end('a', 'it failed')])).toBeUndefined();
    expect(comparableOf([end('baseline')])?.conditions).toEqual(['baseline']);
  });
});

const STEPS = `
export const step = (i, ctx) => {
  if (ctx.params.fails === 'all' || ctx.params.fails === i) throw new RangeError('no luck at ' + i);
  ctx.metrics.add('value', i + (ctx.params.plus ?? 0) + Math.sin(i) / 10);
};
`;

function lab(): Lab {
  return new Lab({
    'e/config.yaml': config({
      replicates: 4,
      treatments: { shaky: { plus: 1, fails: 2 }, broken: { fails: 'all' }, good: { plus: 2 } },
      hypotheses: [{ metrics: 'value' }],
    }),
    'e/datasources.mjs': 'export const source = (ctx) => ctx.replicate;\n',
    'e/steps.mjs': STEPS,
  });
}

test('a run with failures still compares what there is, and says what went wrong', async () => {
  using folder = lab();
  const results = await ExperimentGraph.fromYaml(`${folder.root}/e`).run();
  expect(results.e?.status).toBe('failed');
  // The failures are those of the replicates: the comparison adds none.
  expect(results.e?.errors.map(({ condition, replicate }) => [condition, replicate])).toEqual([
    ['shaky', 2],
    ...[0, 1, 2, 3].map((replicate) => ['broken', replicate]),
  ]);
  const summary = JSON.parse(folder.read('e/results/report/summary.json'));
  expect(summary.missing).toEqual([{ condition: 'broken', reason: 'it failed' }]);
  expect(
    summary.conditions.map((c: { condition: string; failed: number }) => [c.condition, c.failed]),
  ).toEqual([
    ['baseline', 0],
    ['shaky', 1],
    ['good', 0],
  ]);
  expect(summary.hypotheses.map((h: { result: { dropped: number } }) => h.result.dropped).sort()).toEqual([
    0, 1,
  ]);
  const report = folder.read('e/results/report/report.md');
  expect(report).toMatch(/^\*\*.*1 of 12 replicates failed, under shaky\. .*broken.*\*\*$/m);
  expect(report).toContain('| shaky | 2 | 62674 | step step threw RangeError: no luck at 2 |');
});

test('reports are made anew only when something in them changed', async () => {
  using folder = lab();
  const graph = ExperimentGraph.fromYaml(`${folder.root}/e`);
  const run = async (): Promise<string> => {
    await graph.run({ treatments: ['good'] });
    return folder.read('e/results/report/report.html');
  };
  const first = await run();
  const at = (path: string): number => statSync(`${folder.root}/e/results/${path}`).mtimeMs;
  const before = at('report/report.html');
  expect(await run()).toBe(first);
  expect(at('report/report.html')).toBe(before);
  for (const path of [
    'report/report.html',
    'report/report.md',
    'report/summary.json',
    'ro-crate-metadata.json',
  ]) {
    const text = folder.read(`e/results/${path}`);
    folder.write({ [`e/results/${path}`]: text.replace('value', 'other') });
    expect(await run(), path).toBe(first);
    expect(folder.read(`e/results/${path}`), path).toBe(text);
    rmSync(`${folder.root}/e/results/${path}`);
    expect(await run(), path).toBe(first);
    expect(folder.read(`e/results/${path}`), path).toBe(text);
  }
});

test('what reports are made of makes them anew: a log, a config, a parameter upstream', async () => {
  const step = 'export const step = (data, ctx) => ctx.artifact("out").write("same");';
  const outputs = { out: { file_name: 'out.txt', writer: 'dump_text', loader: 'load_text' } };
  using folder = new Lab({
    ...experiment('far', step, { replicates: 2, params: { rate: 1 }, outputs }),
    'up/config.yaml': { datasource: { far: 'far#out' }, steps: ['step'], params: { rate: 1 }, outputs },
    'up/steps.mjs': step,
    'down/config.yaml': { datasource: { up: 'up#out' }, steps: ['step'], treatments: { more: { x: 1 } } },
    'down/steps.mjs': 'export const step = (data, ctx) => ctx.metrics.add("m", ctx.replicate);',
  });
  const page = async (): Promise<string> => {
    await ExperimentGraph.fromYaml(`${folder.root}/down`).run();
    return folder.read('down/results/report/report.html');
  };
  const first = await page();
  expect(await page()).toBe(first);
  // The artifact stays the same, and so does every result downstream.
  const pages = new Set([first]);
  for (const upstream of ['up', 'far']) {
    const config = folder.read(`${upstream}/config.yaml`);
    folder.write({ [`${upstream}/config.yaml`]: config.replace('"rate":1', '"rate":7') });
    pages.add(await page());
  }
  expect(pages.size).toBe(3);
  const log = folder.read('down/results/more/run.jsonl');
  folder.write({ 'down/results/more/run.jsonl': log.replace(/"ms":\d+,"reused"/, '"ms":86400000,"reused"') });
  const logged = await page();
  expect(logged).toContain('24 h 0 min');
  folder.write({
    'down/config.yaml': folder.read('down/config.yaml').replace('{', '{"description":"Another question?",'),
  });
  expect(await page()).toContain('Another question?');
});

describe('the log of a run names', () => {
  const provenance = (folder: Lab): Record<string, unknown> | undefined =>
    folder.log('e/baseline').find(({ type }) => type === 'provenance');
  const git = (folder: Lab, ...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      cwd: folder.root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();

  test('versions, platform and code; no commit where there is none', async () => {
    using folder = lab();
    await folder.run({ only: ['e/baseline'], store: 'store' });
    const entry = provenance(folder);
    expect(entry).toEqual({
      type: 'provenance',
      versions: {
        'nx-experiments': JSON.parse(readFileSync('plugin/package.json', 'utf8')).version,
        node: process.versions.node,
      },
      platform: `${process.platform}-${process.arch}`,
      code: {
        'e/datasources.mjs': expect.stringMatching(/^[0-9a-f]{64}$/),
        'e/steps.mjs': expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      dependencies: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('the commit, and whether there was more than that', async () => {
    using folder = lab();
    folder.write({ '.gitignore': 'results\nstore\n' });
    git(folder, 'init', '--quiet');
    await folder.run({ only: ['e/baseline'] });
    expect(provenance(folder)).not.toHaveProperty('commit');
    git(folder, 'add', '.');
    git(folder, 'commit', '--quiet', '-m', 'x');
    const commit = git(folder, 'rev-parse', 'HEAD');
    await folder.run({ only: ['e/baseline'] });
    expect(provenance(folder)).toMatchObject({ commit, dirty: false });
    folder.write({ 'new.txt': 'x' });
    await folder.run({ only: ['e/baseline'] });
    expect(provenance(folder)).toMatchObject({ commit, dirty: true });
    git(folder, 'add', '.');
    git(folder, 'commit', '--quiet', '-m', 'y');
    folder.write({ 'e/steps.mjs': `${STEPS}// more\n` });
    await folder.run({ only: ['e/baseline'] });
    expect(provenance(folder)).toMatchObject({ commit: git(folder, 'rev-parse', 'HEAD'), dirty: true });
  });
});
