/** Runs the experiment `lab` below a folder with two workers: a process of its own, for a test to kill. */
import { readExperiments } from '../../plugin/build/io/discover.js';
import { Interpreters } from '../../plugin/build/io/python/interpreter.js';
import { planConditions } from '../../plugin/build/runtime/plan.js';
import { runPlan } from '../../plugin/build/runtime/run/runner.js';
import { workersOf } from '../../plugin/build/workers/create-worker.js';
import { WorkerPool } from '../../plugin/build/workers/pool/worker-pool.js';

const [root = ''] = process.argv.slice(2);
const { graph } = readExperiments(root, ['lab/config.yaml']);
await runPlan(planConditions(graph, [{ experiment: 'lab', condition: 'baseline' }]), {
  root,
  pool: new WorkerPool(2, workersOf()),
  interpreters: new Interpreters(root, undefined),
  workers: 2,
  signal: new AbortController().signal,
  failFast: false,
  store: undefined,
  strategy: 'resume',
  onEvent: () => {},
});
