import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bareLoop, runOnce, trivialLab } from './lab.mjs';
import { time } from './measure.ts';
import { type Shape, shapeOf } from './shapes.ts';
import { type Contender, cleanEnv, writeFiles } from './tools/contender.ts';
import { plainNx } from './tools/nx.ts';
import { nxCommand } from './tools/nx-command.ts';
import { linkPackages, ours, oursWithoutNx } from './tools/ours.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export const STEP = { conditions: 4, replicates: 1000, steps: 3 };

/** Milliseconds of B2, one for each round. */
export interface StepSamples {
  readonly bare: number[];
  readonly off: number[];
  readonly on: number[];
  readonly bareProcess: number[];
  readonly process: number[];
}

/** B2: what the engine adds to a bare loop over the same functions, with one worker. */
export function measureSteps(rounds: number): StepSamples {
  const root = trivialLab(STEP);
  const samples: StepSamples = { bare: [], off: [], on: [], bareProcess: [], process: [] };
  for (let round = 0; round <= rounds; round++) {
    const store = join(root, 'store');
    rmSync(store, { recursive: true, force: true });
    const [bare, off, on] = [bareLoop(root, STEP), runOnce(root), runOnce(root, store)];
    const results = join(root, 'bench/results');
    const made = readdirSync(results).filter((name) => existsSync(join(results, name, 'metrics.json')));
    const values = made.map((condition) => {
      const text = readFileSync(join(results, condition, 'metrics.json'), 'utf8');
      return [...text.matchAll(/"value":\[(\d+)\]/g)].reduce((sum, [, value]) => sum + Number(value), 0);
    });
    const sum = values.reduce((total, value) => total + value, 0);
    if (sum !== bare.sum) throw new Error(`B2 came to ${sum} instead of ${bare.sum}.`);
    if (round === 0) continue;
    samples.bare.push(bare.runMs);
    samples.off.push(off.steadyMs);
    samples.on.push(on.steadyMs);
    samples.bareProcess.push(bare.processMs);
    samples.process.push(on.processMs);
  }
  rmSync(root, { recursive: true, force: true });
  return samples;
}

/** Seconds of B5, one for each round. */
export interface BusySamples {
  readonly steps: number;
  readonly ideal: number[];
  readonly whole: number[];
  /** From the first answer to the last. */
  readonly steady: number[];
}

/** B5: steps that take 20 ms of CPU, against as many bare loops as there are cores. */
export async function measureBusy(rounds: number, folder: string): Promise<BusySamples> {
  const [steps, cores] = [200, availableParallelism()];
  const script = here('./cpu.mjs');
  const effort = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
  const root = join(folder, 'busy');
  writeFiles(root, {
    'package.json': { name: 'bench', private: true, type: 'module' },
    'experiments/busy/config.yaml': { replicates: steps, datasource: { data: 'rounds' }, steps: ['busy'] },
    'experiments/busy/datasources.mjs': `export const rounds = () => ${effort};\n`,
    'experiments/busy/steps.mjs': `${readFileSync(script, 'utf8').match(/export function work[\s\S]*?\n}\n/)?.[0]}
export const busy = (rounds, ctx) => { const x = work(rounds); ctx.metrics.add('x', x); return x; };\n`,
  });
  linkPackages(root);
  const samples: BusySamples = { steps, ideal: [], whole: [], steady: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const left of ['.nx', 'experiments/busy/results'])
      rmSync(join(root, left), { recursive: true, force: true });
    const startedAt = performance.now();
    const loops = Array.from({ length: cores }, () =>
      ended(spawn(process.execPath, [script, effort, String(steps / cores)], { stdio: 'ignore' })),
    );
    await Promise.all(loops);
    const ideal = (performance.now() - startedAt) / 1000;
    const whole = time(oursWithoutNx.run(root), root);
    const steady = runOnce(root, '', cores).steadyMs / 1000;
    if (round === 0) continue;
    samples.ideal.push(ideal);
    samples.whole.push(whole);
    // The first answer comes when each core has done one step.
    samples.steady.push((steady * steps) / (steps - cores));
  }
  rmSync(root, { recursive: true, force: true });
  return samples;
}

function ended(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) =>
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`a loop ended with ${code}`)))),
  );
}

/** Seconds of B6 for one kind of workspace, one for each round. */
export interface GraphSamples {
  readonly name: string;
  readonly cold: number[];
  readonly edited: number[];
}

/** B6: only the project graph, from nothing and after one file was edited. */
export function measureInference(rounds: number, folder: string, scale: number): GraphSamples[] {
  const shape = shapeOf('B6', scale);
  const kinds = [
    { contender: ours(), file: 'config.yaml', edit: '\n# edited\n' },
    { contender: plainNx(), file: 'project.json', edit: '\n' },
  ].map((kind, i) => ({
    ...kind,
    root: join(folder, `graph${i}`),
    samples: { name: kind.contender.name, cold: [], edited: [] } as GraphSamples,
  }));
  for (const { contender, root } of kinds) contender.prepare(root, shape);
  for (let round = 0; round <= rounds; round++) {
    for (const { root, file, edit, samples } of kinds) {
      rmSync(`${root}.nx`, { recursive: true, force: true });
      const cold = showProjects(root, shape);
      appendFileSync(join(root, 'experiments/e0', file), edit);
      const edited = showProjects(root, shape);
      process.stderr.write('.');
      if (round === 0) continue;
      samples.cold.push(cold);
      samples.edited.push(edited);
    }
  }
  process.stderr.write('\n');
  for (const { root } of kinds) {
    for (const path of [root, `${root}.nx`]) rmSync(path, { recursive: true, force: true });
  }
  return kinds.map(({ samples }) => samples);
}

function showProjects(root: string, { experiments }: Shape): number {
  const list = `${root}.list`;
  const { command, args, env } = nxCommand(root, ['show', 'projects', '--json']);
  const shell = `"$0" "$@" > '${list}'`;
  const seconds = time({ command: 'sh', args: ['-c', shell, command, ...args], env: env ?? {} }, root);
  const { length } = JSON.parse(readFileSync(list, 'utf8'));
  if (length !== experiments.length) throw new Error(`The graph has ${length} projects.`);
  return seconds;
}

/** Peak resident memory in MiB of the largest process of one cold run, workers left out. */
export function measureMemory(contender: Contender, shape: Shape, folder: string): number {
  const root = join(folder, 'memory');
  const log = join(folder, 'memory.log');
  mkdirSync(root, { recursive: true });
  contender.prepare(root, shape);
  writeFileSync(log, '');
  const { command, args, env } = contender.run(root);
  const watched = cleanEnv({
    ...env,
    NODE_OPTIONS: `--require ${here('./peak-memory.cjs')}`,
    PEAK_MEMORY_LOG: log,
  });
  time({ command, args, env: watched }, root);
  const peaks = readFileSync(log, 'utf8').trim().split('\n').map(Number);
  for (const path of [root, `${root}.nx`, log]) rmSync(path, { recursive: true, force: true });
  return Math.max(...peaks) / 1024;
}

/** Milliseconds that loading the plugin's entry adds to a process. */
export function measureLoad(rounds: number): number[] {
  const entry = here('../plugin/dist/index.js');
  const script = `const s = performance.now(); await import(${JSON.stringify(entry)}); console.log(performance.now() - s);`;
  const samples: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const args = ['--input-type=module', '-e', script];
    const ms = Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
    if (round > 0) samples.push(ms);
  }
  return samples;
}
