// The floor of the trivial lab: its functions called one after the other, with what a step needs of a context and nothing else.
// `node benchmarks/bare-loop.mjs <folder> <conditions> <replicates>`
import { join } from 'node:path';

const [folder = '.', conditions = '4', replicates = '1000'] = process.argv.slice(2);
const { source, add, double, record } = await import(join(folder, 'bench/steps.mjs'));

const startedAt = performance.now();
let sum = 0;
for (let condition = 0; condition < Number(conditions); condition++) {
  for (let replicate = 0; replicate < Number(replicates); replicate++) {
    const metrics = {};
    const ctx = {
      replicate,
      params: { delta: condition },
      metrics: {
        add: (name, value) => {
          metrics[name] = [...(metrics[name] ?? []), value];
        },
      },
    };
    record(double(add(source(ctx), ctx), ctx), ctx);
    sum += metrics.value[0];
  }
}
console.log(JSON.stringify({ runMs: performance.now() - startedAt, sum }));
