/**
 * What the engine costs for each step: 4 conditions x 1,000 replicates x 3 trivial steps with one worker, against a
 * bare loop over the same functions in one process.
 *
 *     npm run build && npx jiti benchmarks/steps.ts [replicates]
 */
import { appendFileSync } from 'node:fs';
import { Lab } from '../tests/support/engine.ts';

const CONDITIONS = 4;
const STEPS = 3;
const ROUNDS = 5;
const replicates = Number(process.argv[2] ?? 1000);

const MODULE = `
export const source = (ctx) => ctx.replicate;
export const add = (data, ctx) => data + ctx.params.delta;
export const double = (data) => data * 2;
export const record = (data, ctx) => { ctx.metrics.add('value', data); return data; };
`;

interface Context {
  replicate: number;
  params: { delta: number };
  metrics: { add(name: string, value: number): void };
}
type Functions = Record<'add' | 'double' | 'record', (data: number, ctx: Context) => number> & {
  source(ctx: Context): number;
};

function bareLoop({ source, add, double, record }: Functions): number {
  const startedAt = performance.now();
  for (let condition = 0; condition < CONDITIONS; condition++) {
    for (let replicate = 0; replicate < replicates; replicate++) {
      const metrics: Record<string, number[]> = {};
      const ctx: Context = {
        replicate,
        params: { delta: condition },
        metrics: {
          add: (name, value) => {
            metrics[name] = [...(metrics[name] ?? []), value];
          },
        },
      };
      record(double(add(source(ctx), ctx), ctx), ctx);
    }
  }
  return performance.now() - startedAt;
}

using lab = new Lab({
  'bench/config.yaml': {
    replicates,
    datasource: { data: 'source' },
    steps: ['add', 'double', 'record'],
    params: { delta: 0 },
    treatments: Object.fromEntries(
      Array.from({ length: CONDITIONS - 1 }, (_, i) => [`plus_${i + 1}`, { delta: i + 1 }]),
    ),
  },
  'bench/datasources.mjs': MODULE,
  'bench/steps.mjs': MODULE,
});

const functions: Functions = await import(`${lab.root}/bench/steps.mjs`);
const best = { bare: Number.POSITIVE_INFINITY, engine: Number.POSITIVE_INFINITY };
for (let round = 0; round < ROUNDS; round++) {
  best.bare = Math.min(best.bare, bareLoop(functions));
  let firstAt = 0;
  const onEvent = ({ type }: { type: string }): void => {
    if (firstAt === 0 && type === 'replicate-finished') firstAt = performance.now();
  };
  const { outcomes } = await lab.run({ workers: 1, onEvent });
  best.engine = Math.min(best.engine, performance.now() - firstAt);
  if (outcomes.some(({ status }) => status !== 'succeeded')) throw new Error('A condition failed.');
}

const perReplicate = ((best.engine - best.bare) / (CONDITIONS * replicates)) * 1000;
const lines = [
  `${CONDITIONS} conditions x ${replicates} replicates x ${STEPS} steps, best of ${ROUNDS}`,
  `bare loop  ${best.bare.toFixed(1)} ms`,
  `engine     ${best.engine.toFixed(1)} ms, from the first replicate to the last results on disk, one worker`,
  `overhead   ${perReplicate.toFixed(1)} µs per replicate, ${(perReplicate / STEPS).toFixed(1)} µs per step`,
];
appendFileSync(1, `${lines.join('\n')}\n`);
