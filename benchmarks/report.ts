import { availableParallelism, cpus, type as osType, release, totalmem } from 'node:os';
import { median, ratio, type Samples } from './measure.ts';
import { type BusySamples, type GraphSamples, STEP, type StepSamples } from './parts.ts';
import type { Shape } from './shapes.ts';

/** What one run of the suite has measured. */
export interface Measured {
  readonly rounds: number;
  readonly scale: number;
  /** What else the machine did when the suite began: processes that wanted to run. */
  readonly load: number;
  readonly startedAt: Date;
  readonly graphs: Map<'B1' | 'B3' | 'B4', { readonly shape: Shape; readonly samples: readonly Samples[] }>;
  steps?: StepSamples;
  busy?: BusySamples;
  inference?: readonly GraphSamples[];
  loadMs?: readonly number[];
  memory?: readonly { readonly name: string; readonly plain: number; readonly ours: number }[];
}

interface Goal {
  readonly what: string;
  /** At most this, or at least when `atLeast`. */
  readonly limit: number;
  readonly atLeast?: true;
  readonly value: number;
  readonly unit: string;
}

const PLAIN = 'Nx, run-commands';
const LEAN = 'Nx, run-commands, lean';
const OURS = 'nx-experiments';
const ALONE = 'nx-experiments without Nx';
const DAEMON = ', daemon on';
const MODES = [', plugins in its process', DAEMON];

/** All tables, for the terminal and for the document. */
export function render(measured: Measured): string {
  const { graphs, steps, busy, inference, memory, loadMs } = measured;
  const parts = [goalsTable(goalsOf(measured))];
  for (const [name, { shape, samples }] of graphs)
    parts.push(`## ${name}: ${shape.title}`, graphTable(samples));
  if (steps) parts.push('## B2: 4 conditions x 1,000 replicates x 3 trivial steps', stepsTable(steps));
  if (busy) parts.push(`## B5: ${busy.steps} steps of 20 ms of CPU`, busyTable(busy));
  if (inference) parts.push('## B6: 10,000 experiments, the graph only', inferenceTable(inference));
  if (memory) parts.push('## Memory', memoryTable(memory));
  if (loadMs)
    parts.push(
      `Loading the plugin's entry takes ${median(loadMs).toFixed(0)} ms (least ${Math.min(...loadMs).toFixed(0)}).`,
    );
  return `${parts.join('\n\n')}\n`;
}

/** The page of the documentation. */
export function renderDocument(measured: Measured): string {
  const [cpu] = cpus();
  const minutes = Math.round((Date.now() - measured.startedAt.getTime()) / 60_000);
  return `# Performance

What nx-experiments costs and saves, side by side with what one could use instead. \`npm run bench\` has written this page in
${minutes} minutes, on ${availableParallelism()} cores of "${cpu?.model}" with ${Math.round(totalmem() / 2 ** 30)} GiB, ${osType()} ${release()}, Node ${process.versions.node}; yours will differ. When it
began, ${measured.load.toFixed(1)} other processes wanted to run: above a tenth of the cores, read the ratios and not the seconds. Why it is
built as it is stands in [ADR 16](adr/0016-speed.md). There is one page for [Node 20](performance.md), the oldest and slowest that is supported,
and one for [Node 24](performance-node24.md).

Times are seconds of whole processes, medians of ${measured.rounds} rounds after a warm-up. In each round all tools take their turn in fresh folders
on a file system in memory, with caches of their own; the values of every job are checked after every run. A ratio is the
median of the ratios of the rounds. **Cold** is a fresh clone: no cache, no project graph, no compiled module. A job is a line of
shell that reads its inputs and writes one tiny file; for us it is a step in JavaScript that writes a JSON artifact for
each replicate. B3 has a row for steps in TypeScript, which Babel compiles the first time in a few milliseconds a module, and which record a
metric. Ours do more: they check every artifact, keep every replicate in the run store, and compare conditions.
**${PLAIN}** is the same graph as \`project.json\` files: the same tasks, a comparison for each experiment among them, with inputs of the
same kinds, so that it stops where an artifact has stayed the same, as ours does. **Lean** is the least that one could write: no comparisons, and
the inputs that Nx takes by default; it has fewer tasks, and reruns more. In turbo, B3 ran once from nothing and B4 not at all: it starts
npm for each task, which takes minutes there. **Plugins in its process** is Nx with \`NX_ISOLATE_PLUGINS=false\`, which starts no process for each
plugin; it is what to set where no daemon runs.

${missingFrom(measured)}Run it again with \`npm run bench\`; \`-- --only B1,B3 --quick\` is a quick look. It installs wireit and turbo in a temporary folder, and
takes make and snakemake when the system has them (\`apt-get install make snakemake\`).

## Goals

${render(measured)}
## Crystallize

Crystallize could not be installed where this page was written. Elsewhere, on two cores of the same kind with Python 3.11, its serial
run of folders with the same jobs in Python took (seconds, whole process): B1 0.23, B2 0.74-0.86, B3 0.76, B4 2.10; with nothing to do
B1 0.18, B3 0.50, B4 1.47. These are not from the same run as the tables above.
`;
}

function missingFrom({ graphs, steps, busy, inference, memory }: Measured): string {
  const all = {
    B1: graphs.get('B1'),
    B2: steps,
    B3: graphs.get('B3'),
    B4: graphs.get('B4'),
    B5: busy,
    B6: inference,
    memory,
  };
  const missing = Object.entries(all).flatMap(([name, part]) => (part === undefined ? [name] : []));
  const others = [...graphs.values()].some(({ samples }) =>
    samples.some(({ name }) => /^(GNU|wireit)/.test(name)),
  );
  if (graphs.size > 0 && !others) missing.push('make, snakemake, wireit and turbo');
  return missing.length === 0 ? '' : `**Not measured in this run: ${missing.join(', ')}.**\n\n`;
}

function goalsOf({ graphs, steps, busy, inference, memory, loadMs }: Measured): Goal[] {
  const goals: Goal[] = [];
  const alone = { B1: 0.15, B3: 0.5, B4: 1.2 } as const;
  const idle = { B1: undefined, B3: 0.25, B4: 0.5 } as const;
  for (const [name, { samples }] of graphs) {
    const of = (who: string): Samples => samples.find((s) => s.name === who) as Samples;
    for (const plain of [PLAIN, LEAN]) {
      const against = plain === PLAIN ? 'plain Nx' : 'lean plain Nx';
      goals.push({
        what: `${name} nothing to do, to ${against}`,
        limit: 1.15,
        value: ratio(of(OURS).nothing, of(plain).nothing),
        unit: 'times',
      });
      if (name !== 'B1')
        goals.push({
          what: `${name} cold, to ${against}`,
          limit: name === 'B3' ? 0.55 : 0.45,
          value: ratio(of(OURS).cold, of(plain).cold),
          unit: 'times',
        });
    }
    goals.push({
      what: `${name} nothing to do, daemon on, to plain Nx`,
      limit: 1.15,
      value: ratio(of(OURS + DAEMON).nothing, of(PLAIN + DAEMON).nothing),
      unit: 'times',
    });
    goals.push({
      what: `${name} cold, without Nx`,
      limit: alone[name],
      value: median(of(ALONE).cold),
      unit: 's',
    });
    const limit = idle[name];
    if (limit !== undefined)
      goals.push({
        what: `${name} nothing to do, without Nx`,
        limit,
        value: median(of(ALONE).nothing),
        unit: 's',
      });
  }
  if (steps) {
    const { off, on, process } = overheads(steps);
    goals.push({ what: 'B2 whole process, store on', limit: 0.25, value: process, unit: 's' });
    goals.push({ what: 'B2 overhead of a step, store off', limit: 3, value: off, unit: 'µs' });
    goals.push({ what: 'B2 overhead of a step, store on', limit: 6, value: on, unit: 'µs' });
  }
  if (busy) {
    goals.push({
      what: 'B5 from the first answer, of ideal',
      limit: 0.95,
      atLeast: true,
      value: ratio(busy.ideal, busy.steady),
      unit: '',
    });
    goals.push({
      what: 'B5 whole process, of ideal',
      limit: 0.95,
      atLeast: true,
      value: ratio(busy.ideal, busy.whole),
      unit: '',
    });
  }
  const [own, plain] = inference ?? [];
  if (own && plain)
    goals.push({
      what: 'B6 graph from nothing, to project.json',
      limit: 1.3,
      value: ratio(own.cold, plain.cold),
      unit: 'times',
    });
  if (loadMs)
    goals.push({ what: "load of the plugin's entry", limit: 40, value: median(loadMs), unit: 'ms' });
  for (const { name, plain: without, ours } of memory ?? [])
    goals.push({ what: `${name} memory above plain Nx`, limit: 200, value: ours - without, unit: 'MiB' });
  return goals;
}

function goalsTable(goals: readonly Goal[]): string {
  return table(
    ['what', 'goal', 'measured', ''],
    goals.map(({ what, limit, atLeast, value, unit }) => [
      what,
      `${atLeast ? 'at least' : 'at most'} ${limit} ${unit}`.trim(),
      `${digits(value)} ${unit}`.trim(),
      (atLeast ? value >= limit : value <= limit) ? 'met' : '**missed**',
    ]),
  );
}

function graphTable(samples: readonly Samples[]): string {
  const plain = samples.find(({ name }) => name === PLAIN) as Samples;
  const rows = samples.map(({ name, cold, nothing }) => {
    const mode = MODES.find((end) => name.endsWith(end));
    const base = mode === undefined ? plain : (samples.find((s) => s.name === PLAIN + mode) as Samples);
    return [
      name,
      mode ? '' : seconds(cold),
      mode ? '' : times(ratio(cold, base.cold)),
      seconds(nothing),
      times(ratio(nothing, base.nothing)),
    ];
  });
  return table(['', 'cold', 'to plain Nx', 'nothing to do', 'to plain Nx'], rows);
}

/** Microseconds a step above the bare loop; seconds of the whole process. */
function overheads({ bare, off, on, process }: StepSamples) {
  const steps = STEP.conditions * STEP.replicates * STEP.steps;
  const above = (ms: readonly number[]): number =>
    (median(ms.map((m, i) => m - (bare[i] ?? Number.NaN))) / steps) * 1000;
  return { off: above(off), on: above(on), process: median(process) / 1000 };
}

function stepsTable(samples: StepSamples): string {
  const { off, on } = overheads(samples);
  const row = (
    name: string,
    ms: readonly number[],
    process: readonly number[] | undefined,
    above: string,
  ) => [
    name,
    `${digits(median(ms))} ms`,
    process === undefined ? '' : seconds(process.map((p) => p / 1000)),
    above,
  ];
  return table(
    ['', 'first replicate to last result', 'whole process', 'above the bare loop, a step'],
    [
      row('bare loop', samples.bare, samples.bareProcess, ''),
      row('one worker, store off', samples.off, undefined, `${digits(off)} µs`),
      row('one worker, store on', samples.on, samples.process, `${digits(on)} µs`),
    ],
  );
}

function busyTable({ ideal, whole, steady }: BusySamples): string {
  return table(
    ['', 'time', 'of ideal'],
    [
      ['a bare loop on each core', seconds(ideal), ''],
      ['nx-experiments, from the first answer', seconds(steady), digits(ratio(ideal, steady))],
      ['nx-experiments, the whole process', seconds(whole), digits(ratio(ideal, whole))],
    ],
  );
}

function inferenceTable(samples: readonly GraphSamples[]): string {
  const plain = samples.at(-1) as GraphSamples;
  return table(
    ['`nx show projects`', 'from nothing', 'ratio', 'after an edit', 'ratio'],
    samples.map(({ name, cold, edited }) => [
      name,
      seconds(cold),
      times(ratio(cold, plain.cold)),
      seconds(edited),
      times(ratio(edited, plain.edited)),
    ]),
  );
}

function memoryTable(memory: NonNullable<Measured['memory']>): string {
  const mib = (value: number): string => `${value.toFixed(0)} MiB`;
  return table(
    ['peak of the largest process, workers left out, cold', PLAIN, OURS, 'more'],
    memory.map(({ name, plain, ours }) => [name, mib(plain), mib(ours), mib(ours - plain)]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join(
    '\n',
  );
}

function seconds(values: readonly number[]): string {
  const value = median(values);
  return Number.isNaN(value) ? '' : value < 0.1 ? value.toFixed(3) : value.toFixed(2);
}

function times(value: number): string {
  return Number.isNaN(value) ? '' : value.toFixed(2);
}

function digits(value: number): string {
  return Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0);
}
