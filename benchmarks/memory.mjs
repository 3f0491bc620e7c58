// Peak memory of the parent process with many replicates of one condition and a trivial pipeline (Linux only):
// `node benchmarks/memory.mjs [replicates]`
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runOnce, trivialLab } from './lab.mjs';

const replicates = Number(process.argv[2] ?? 100_000);
const root = trivialLab({ conditions: 1, replicates });
const store = join(root, 'store');
for (const what of ['cold', 'complete reuse']) {
  const { peakMiB, runMs } = runOnce(root, store, 2);
  console.log(
    `${what}: ${replicates} replicates, ${peakMiB.toFixed(0)} MiB at most, ${(runMs / 1000).toFixed(1)} s`,
  );
}
rmSync(root, { recursive: true, force: true });
