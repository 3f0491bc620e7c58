import { hostname } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RemoteCache } from '../support/remote-cache.ts';
import { isRunRecord } from '../support/run-records.ts';
import { canNameHost, type NxResult, type Workspace, workspace } from '../support/workspace.ts';

/** prep -> train (four shards) -> judge (by its estimate, three). */
const FILES = {
  'libs/noise.ts': 'export const noisy = (x: number, random: () => number): number => x + random();\n',
  'datasets/offset.csv': '100\n',
  'experiments/prep/config.yaml': `
datasource: { number: number }
steps: [publish]
outputs: { raw: { file_name: raw.json, writer: dump_json, loader: load_json } }
treatments: { doubled: { factor: 2 } }
inputs: ["{workspaceRoot}/datasets/*.csv"]
replicates: 9
seed: 11
`,
  'experiments/prep/datasources.ts': `
import { readFileSync } from 'node:fs';
export const number = (ctx: { replicate: number }): number =>
  ctx.replicate + Number(readFileSync('../../datasets/offset.csv', 'utf8'));
`,
  'experiments/prep/steps.ts': `
import { defineStep, withMetrics } from 'nx-experiments';
import { noisy } from '../../libs/noise.ts';
export const publish = defineStep({ factor: 1 }, async (x: number, { factor }, ctx) => {
  const value = factor * noisy(x, ctx.random);
  await ctx.artifact('raw').write({ value });
  ctx.log('published');
  return withMetrics(x, { value });
});
`,
  'experiments/train/config.yaml': `
datasource: { raw: prep#raw }
steps: [fit]
outputs: { model: { file_name: model.bin, writer: dump_bytes } }
treatments: { warm: { start: 1 } }
execution: { shards: 4 }
`,
  'experiments/train/steps.ts': `
import { defineStep, withMetrics } from 'nx-experiments';
export const fit = defineStep({ start: 0 }, async (data: { raw: { value: number } }, { start }, ctx) => {
  const loss = start + data.raw.value / 3;
  await ctx.artifact('model').write(new Uint8Array(new Float64Array([loss]).buffer));
  ctx.log('fitted');
  return withMetrics(data, { loss });
});
`,
  'experiments/judge/config.yaml': `
datasource: { model: train#model }
steps: [score]
execution: { estimate: 2m }
hypotheses: [{ metrics: score }]
`,
  'experiments/judge/steps.ts': `
import { withMetrics } from 'nx-experiments';
export const score = (data: { model: Uint8Array }) =>
  withMetrics(data, { score: data.model.reduce((sum, byte) => sum + byte, 0) });
`,
};

const CONDITIONS = { prep: ['baseline', 'doubled'], train: ['baseline', 'doubled', 'warm'] };

let origin: Workspace;
let cache: RemoteCache;
const machines: Workspace[] = [];
/** What one machine alone comes to. */
let alone: NxResult;
let expected: Record<string, string>;
const hosts = ['amber-host', 'birch-host', 'coral-host', 'delta-host', 'solitary-host'];
const PLACES = [
  { TZ: 'Asia/Tokyo', LC_ALL: 'C.UTF-8' },
  { TZ: 'America/St_Johns', LC_ALL: 'C' },
  { TZ: 'UTC', LC_ALL: 'POSIX' },
  { TZ: 'Pacific/Chatham' },
  { TZ: 'Europe/Paris' },
];

async function machine(number: number, env: Record<string, string>): Promise<Workspace> {
  const made = await origin.clone(hosts[number] ?? '', { ...PLACES[number], ...env });
  machines.push(made);
  return made;
}

async function resultsOf(ws: Workspace, logs = false): Promise<Record<string, string>> {
  const all = await ws.contents('experiments');
  return Object.fromEntries(
    Object.entries(all).filter(([path]) => path.includes('/results/') && (logs || !isRunRecord(path))),
  );
}

beforeAll(async () => {
  origin = await workspace(FILES, { plugin: { shardTime: '6m' } });
  cache = await RemoteCache.start();
  const one = await machine(4, {});
  alone = await one.nx('run-many -t experiment');
  expect(alone.code, alone.output).toBe(0);
  expected = await resultsOf(one);
});

afterAll(async () => {
  for (const each of [...machines, origin]) await each[Symbol.asyncDispose]();
  await cache[Symbol.asyncDispose]();
});

test('machines that share a remote cache alone come to the bytes of one, and the last finds all of it there', async () => {
  const [a, b, c, d] = [
    await machine(0, cache.env),
    await machine(1, cache.env),
    await machine(2, cache.env),
    await machine(3, cache.env),
  ];
  const ranOn = async (ws: Workspace, args: string): Promise<NxResult> => {
    const result = await ws.nx(args);
    expect(result.code, result.output).toBe(0);
    // Same tasks, same hashes: whatever the folder, the home, the host, the time zone.
    for (const [task, hash] of Object.entries(result.hashes))
      expect([task, hash]).toEqual([task, alone.hashes[task]]);
    return result;
  };
  const prep = CONDITIONS.prep.map((condition) => `prep:experiment--${condition}`);
  const shards = (ks: readonly number[]): string[] =>
    CONDITIONS.train.flatMap((condition) => ks.map((k) => `train:experiment--${condition}--${k}of4`)).sort();
  const targets = (ks: readonly number[]): string =>
    CONDITIONS.train.flatMap((condition) => ks.map((k) => `experiment--${condition}--${k}of4`)).join();

  const first = await ranOn(a, `run-many --projects=train --targets=${targets([1, 3])}`);
  expect({ ran: first.ran, cached: first.cached }).toEqual({ ran: [...prep, ...shards([1, 3])], cached: [] });

  const second = await ranOn(b, `run-many --projects=train --targets=${targets([2, 4])} --batch=false`);
  expect({ ran: second.ran, remote: second.remote }).toEqual({ ran: shards([2, 4]), remote: prep });

  const third = await ranOn(c, 'run-many -t experiment');
  expect(third.remote).toEqual([...prep, ...shards([1, 2, 3, 4])]);
  expect(third.ran).toEqual(
    Object.keys(alone.hashes)
      .filter((task) => !third.remote.includes(task))
      .sort(),
  );

  const last = await ranOn(d, 'run-many -t experiment');
  expect({ ran: last.ran, remote: last.remote }).toEqual({ ran: [], remote: alone.ran });
  for (const each of [c, d]) expect(await resultsOf(each)).toEqual(expected);
  expect([...cache.stored.keys()].sort()).toEqual(Object.values(alone.hashes).sort());
  expect(cache.refused).toBe(0);
});

test('nothing that is stored or written names a machine, and times stand where runs are told of alone', async () => {
  const files = Object.entries(await resultsOf(machines[4] as Workspace, true));
  const archives = [...cache.stored].map(
    ([hash, body]) => [hash, gunzipSync(body).toString('latin1')] as const,
  );
  expect(archives).toHaveLength(alone.ran.length);
  const names = machines.flatMap(({ root }) => [root, root.replace(/\/workspace$/, '')]);
  const told = [...names, ...(canNameHost() ? hosts : [hostname()].filter((name) => name.length > 8))];
  for (const [path, text] of [...files, ...archives])
    for (const name of told) expect(text.includes(name), `${path} has ${name} in it`).toBe(false);
  const time = /\d{4}-\d\d-\d\dT\d\d:\d\d|\b1[6-9]\d{11}\b/;
  const timed = files.filter(([, text]) => time.test(text)).map(([path]) => path);
  expect(timed.filter((path) => !isRunRecord(path))).toEqual([]);
  expect(timed).toContain('judge/results/baseline/run.jsonl');
});

test('a machine without the token is refused, and runs on its own', async () => {
  const other = await origin.clone('foreign-host', {
    ...cache.env,
    NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: 'wrong',
  });
  machines.push(other);
  const before = cache.refused;
  const { remote } = await other.nx('run prep:experiment--baseline');
  expect(remote).toEqual([]);
  expect(cache.refused).toBeGreaterThan(before);
});
