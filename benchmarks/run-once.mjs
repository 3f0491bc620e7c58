/**
 * Runs every experiment of a folder in this process, and prints what that cost:
 *
 *     node benchmarks/run-once.mjs <folder> [store folder] [workers]
 */
import { readFileSync } from 'node:fs';
import { ExperimentGraph } from 'nx-experiments';

const [folder = '.', store = '', workers = '1'] = process.argv.slice(2);

const startedAt = performance.now();
let [firstAt, endedAt] = [0, 0];
const results = await ExperimentGraph.fromYaml(folder).run({
  workers: Number(workers),
  store: store === '' ? false : store,
  onEvent: ({ type }) => {
    if (firstAt === 0 && type === 'replicate-finished') firstAt = performance.now();
    if (type === 'condition-finished') endedAt = performance.now();
  },
});
const runMs = performance.now() - startedAt;
/** From the first replicate to the last results on the disk, reports left out; NaN when none ran. */
const steadyMs = firstAt === 0 ? Number.NaN : endedAt - firstAt;
const failed = Object.values(results).find(({ status }) => status !== 'succeeded');
if (failed !== undefined) throw new Error(failed.errors[0]?.message ?? failed.status);
const [, peakKb = '0'] = /VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
const reused = Object.values(results)
  .flatMap(({ provenance }) => Object.values(provenance.conditions))
  .reduce((sum, condition) => sum + condition.reused, 0);
console.log(JSON.stringify({ runMs, steadyMs, peakMiB: Number(peakKb) / 1024, reused }));
