// Runs every experiment of a folder with a store, in this process: `node run-lab.mjs <folder>`.
import { join } from 'node:path';
import fastGlob from 'fast-glob';
import { conditionsOf } from '../../plugin/build/graph/conditions.js';
import { readExperiments } from '../../plugin/build/io/discover.js';
import { describeFailure } from '../../plugin/build/runtime/failures.js';
import { planConditions } from '../../plugin/build/runtime/plan.js';
import { runPlan } from '../../plugin/build/runtime/run/runner.js';
import { FolderStore } from '../../plugin/build/store/folder-store.js';
import { NodeWorker } from '../../plugin/build/workers/node-worker.js';
import { WorkerPool } from '../../plugin/build/workers/pool/worker-pool.js';

const [root = '.'] = process.argv.slice(2);
// Another run may be replacing results: they are not looked into.
const configs = fastGlob.sync('**/config.yaml', {
  cwd: root,
  ignore: ['**/results/**', '**/node_modules/**'],
});
const { graph } = readExperiments(root, configs);
const all = graph.order.flatMap((experiment) =>
  conditionsOf(graph, experiment).map((condition) => ({ experiment, condition })),
);
const pool = new WorkerPool(2, (listener) => new NodeWorker(listener));
const outcomes = await runPlan(planConditions(graph, all), {
  root,
  pool,
  workers: 2,
  signal: new AbortController().signal,
  failFast: false,
  store: new FolderStore(join(root, '.nx/experiments'), 2 ** 30),
  strategy: 'resume',
  onEvent: () => {},
});
await pool.close();
for (const { planned, failures } of outcomes)
  for (const { failure } of failures) console.log(`${planned.id}: ${describeFailure(failure)}`);
process.exitCode = outcomes.every(({ status }) => status === 'succeeded') ? 0 : 1;
