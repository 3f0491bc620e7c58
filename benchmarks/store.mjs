// What the run store costs and what it saves: 4 conditions x 1,000 replicates x 3 trivial steps, without artifacts, one
// worker; each run in a process of its own. `node benchmarks/store.mjs [rounds]`
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { median, runOnce, trivialLab } from './lab.mjs';

const CONDITIONS = 4;
const REPLICATES = 1000;
const rounds = Number(process.argv[2] ?? 7);
const root = trivialLab({ conditions: CONDITIONS, replicates: REPLICATES });
const store = join(root, 'store');

const off = [];
const cold = [];
const complete = [];
const restored = [];
for (let round = 0; round <= rounds; round++) {
  rmSync(store, { recursive: true, force: true });
  const runs = [runOnce(root), runOnce(root, store), runOnce(root, store)];
  for (const folder of resultsOf(root)) rmSync(folder, { recursive: true, force: true });
  runs.push(runOnce(root, store));
  const all = CONDITIONS * REPLICATES;
  if (runs[1].reused !== 0 || runs[2].reused !== all || runs[3].reused !== all)
    throw new Error('The store is not used.');
  if (round === 0) continue; // warms the caches of the disk
  for (const [i, list] of [off, cold, complete, restored].entries()) list.push(runs[i]);
}

function resultsOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name === 'results')
    .map((entry) => join(entry.parentPath, entry.name));
}

const times = (runs, what) => runs.map((run) => run[what]);
for (const [what, name] of [
  ['runMs', 'the run itself'],
  ['processMs', 'the whole process'],
]) {
  const [without, first, again, back] = [off, cold, complete, restored].map((runs) =>
    median(times(runs, what)),
  );
  const added = median(off.map((run, i) => cold[i][what] / run[what] - 1));
  console.log(`${name}, medians of ${rounds}:`);
  console.log(`  store off        ${without.toFixed(0)} ms`);
  console.log(`  store on, cold   ${first.toFixed(0)} ms, ${(100 * added).toFixed(0)} % more`);
  console.log(
    `  results removed  ${back.toFixed(0)} ms, ${((100 * back) / without).toFixed(0)} % of the run with the store off`,
  );
  console.log(
    `  complete reuse   ${again.toFixed(0)} ms, ${((100 * again) / without).toFixed(0)} % of the run with the store off`,
  );
}
rmSync(root, { recursive: true, force: true });
