/**
 * What Python workers cost, and what a second one brings: 4 conditions x 1,000 replicates x 3 trivial steps with one
 * worker, against a bare loop over the same functions in one Python process; and 100 replicates that take 20 ms of CPU
 * each, with one worker and with two.
 *
 *     npm run build && npx jiti benchmarks/python.ts [replicates] [rounds]
 */
import { execFileSync } from 'node:child_process';
import { Lab } from '../tests/support/engine.ts';

const CONDITIONS = 4;
const STEPS = 3;
const replicates = Number(process.argv[2] ?? 1000);
const rounds = Number(process.argv[3] ?? 5);

const FUNCTIONS = `
def source(ctx): return ctx['replicate']
def add(data, ctx, delta): return data + delta
def double(data, ctx): return data * 2
def record(data, ctx):
    ctx.metrics.add('value', data)
    return data
`;

/** The same functions, with what a step needs of a context and nothing else. */
const BARE_LOOP = `
import time
from functions import add, double, record, source

class Metrics:
    def __init__(self): self.values = {}
    def add(self, name, value): self.values.setdefault(name, []).append(value)

class Context(dict):
    pass

started = time.perf_counter()
for condition in range(${CONDITIONS}):
    for replicate in range(${replicates}):
        ctx = Context(replicate=replicate)
        ctx.metrics = Metrics()
        record(double(add(source(ctx), ctx, condition), ctx), ctx)
print((time.perf_counter() - started) * 1000)
`;

using trivial = new Lab({
  'bench/config.yaml': {
    replicates,
    datasource: { data: 'source' },
    steps: ['add', 'double', 'record'],
    params: { delta: 0 },
    treatments: Object.fromEntries(
      Array.from({ length: CONDITIONS - 1 }, (_, i) => [`plus_${i + 1}`, { delta: i + 1 }]),
    ),
  },
  'bench/functions.py': FUNCTIONS,
  'bench/bare.py': BARE_LOOP,
  'bench/datasources.py':
    'import functions\nfrom crystallize import data_source\nsource = data_source(functions.source)\n',
  'bench/steps.py': `import functions
from crystallize import pipeline_step
add = pipeline_step()(functions.add)
double = pipeline_step()(functions.double)
record = pipeline_step()(functions.record)
`,
});

using busy = new Lab({
  'bench/config.yaml': { replicates: 100, datasource: { data: 'source' }, steps: ['work'] },
  'bench/datasources.py': 'from crystallize import data_source\n@data_source\ndef source(ctx): return 1\n',
  'bench/steps.py': `import time
from crystallize import pipeline_step
@pipeline_step()
def work(data, ctx):
    end = time.process_time() + 0.02
    while time.process_time() < end: pass
    return data
`,
});

/** Milliseconds from the first answer of a worker to the end. */
async function run(lab: Lab, workers: number): Promise<number> {
  let firstAt = 0;
  const onEvent = ({ type }: { type: string }): void => {
    if (firstAt === 0 && type === 'replicate-finished') firstAt = performance.now();
  };
  const { outcomes } = await lab.run({ workers, onEvent });
  const ms = performance.now() - firstAt;
  if (outcomes.some(({ status }) => status !== 'succeeded')) throw new Error('A condition failed.');
  return ms;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const bare: number[] = [];
const worker: number[] = [];
const ratios: number[] = [];
for (let round = 0; round < rounds; round++) {
  bare.push(Number(execFileSync('python3', ['bare.py'], { cwd: `${trivial.root}/bench`, encoding: 'utf8' })));
  worker.push(await run(trivial, 1));
  ratios.push((await run(busy, 1)) / (await run(busy, 2)));
}

const perStep = ((median(worker) - median(bare)) / (CONDITIONS * replicates * STEPS)) * 1000;
console.log(
  [
    `${CONDITIONS} conditions x ${replicates} replicates x ${STEPS} steps in Python, medians of ${rounds}`,
    `bare loop ${median(bare).toFixed(1)} ms, through one worker ${median(worker).toFixed(0)} ms: ${perStep.toFixed(1)} µs of overhead per step`,
    `100 replicates of 20 ms: two workers are ${median(ratios).toFixed(2)} times as fast as one`,
  ].join('\n'),
);
