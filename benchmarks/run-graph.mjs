// Runs all experiments of a folder without Nx: `node benchmarks/run-graph.mjs <folder> [workers]`
import { ExperimentGraph } from 'nx-experiments';

const [folder = '.', workers] = process.argv.slice(2);
const results = await ExperimentGraph.fromYaml(folder).run(
  workers === undefined ? {} : { workers: Number(workers) },
);
for (const { status, errors } of Object.values(results)) {
  if (status !== 'succeeded') throw new Error(errors[0]?.message ?? status);
}
