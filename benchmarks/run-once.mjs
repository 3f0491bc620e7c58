/**
 * Runs every experiment of a folder in this process, and prints what that cost:
 *
 *     node benchmarks/run-once.mjs <folder> [store folder] [workers]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { conditionsOf } from '../plugin/build/graph/conditions.js';
import { readExperiments } from '../plugin/build/io/discover.js';
import { Interpreters } from '../plugin/build/io/python.js';
import { planConditions } from '../plugin/build/runtime/plan.js';
import { runPlan } from '../plugin/build/runtime/runner.js';
import { FolderStore } from '../plugin/build/store/folder-store.js';
import { workersOf } from '../plugin/build/workers/create-worker.js';
import { WorkerPool } from '../plugin/build/workers/pool.js';

const [folder = '.', store = '', workers = '1'] = process.argv.slice(2);
const root = resolve(folder);

const startedAt = performance.now();
const configs = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.name === 'config.yaml')
  .map((entry) => relative(root, join(entry.parentPath, entry.name)));
const { graph } = readExperiments(root, configs);
const all = graph.order.flatMap((experiment) =>
  conditionsOf(graph, experiment).map((condition) => ({ experiment, condition })),
);
const pool = new WorkerPool(Number(workers), workersOf());
let firstAt = 0;
const outcomes = await runPlan(planConditions(graph, all), {
  root,
  pool,
  interpreters: new Interpreters(root, undefined),
  workers: Number(workers),
  signal: new AbortController().signal,
  failFast: false,
  store: store === '' ? undefined : new FolderStore(store, 10 * 2 ** 30),
  strategy: 'resume',
  onEvent: ({ type }) => {
    if (firstAt === 0 && type === 'replicate-finished') firstAt = performance.now();
  },
});
const endedAt = performance.now();
const runMs = endedAt - startedAt;
/** From the first replicate to the last results on the disk; NaN when none ran. */
const steadyMs = firstAt === 0 ? Number.NaN : endedAt - firstAt;
await pool.close();
if (outcomes.some(({ status }) => status !== 'succeeded')) throw new Error('A condition failed.');
const [, peakKb = '0'] = /VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
const reused = outcomes.reduce((sum, outcome) => sum + outcome.reused, 0);
console.log(JSON.stringify({ runMs, steadyMs, peakMiB: Number(peakKb) / 1024, reused }));
