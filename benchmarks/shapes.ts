/** An experiment of a benchmark, told without a tool: what it reads, and under what it runs. */
export interface BenchExperiment {
  readonly name: string;
  /** Names of the experiments whose values it adds up. */
  readonly reads: readonly string[];
  readonly conditions: readonly string[];
  readonly replicates: number;
}

export interface Shape {
  readonly title: string;
  readonly experiments: readonly BenchExperiment[];
}

export type ShapeName = 'B1' | 'B3' | 'B4' | 'B6';

/** One condition of one experiment: what other tools call a job. */
export interface Job {
  readonly experiment: BenchExperiment;
  readonly condition: string;
}

const BOTH = ['baseline', 'high'];

/** @param scale a smaller one for a quick look: how many of the experiments, 1 for all */
export function shapeOf(name: ShapeName, scale = 1): Shape {
  const count = (all: number): number => Math.max(2, Math.round(all * scale));
  switch (name) {
    case 'B1':
      return { title: 'two experiments, two conditions', experiments: layers(2, 1, 1) };
    case 'B3': {
      const width = count(20);
      return { title: `${10 * width} experiments in ten layers`, experiments: layers(10, width, 2) };
    }
    case 'B4':
      return independent(count(1000));
    case 'B6':
      return independent(count(10_000));
  }
}

export function jobsOf({ experiments }: Shape): Job[] {
  return experiments.flatMap((experiment) =>
    experiment.conditions.map((condition) => ({ experiment, condition })),
  );
}

/** What a condition adds to its inputs. */
export function deltaOf(condition: string): number {
  return condition === 'baseline' ? 1 : 2;
}

/** The value of each replicate of each job, by `experiment/condition`: what every tool has to come to. */
export function expectedValues(shape: Shape): Map<string, number[]> {
  const values = new Map<string, number[]>();
  for (const { experiment, condition } of jobsOf(shape)) {
    const { name, reads, replicates } = experiment;
    const inputs = reads.map((read) => values.get(`${read}/${condition}`) ?? []);
    values.set(
      `${name}/${condition}`,
      Array.from({ length: replicates }, (_, replicate) =>
        inputs.reduce((sum, input) => sum + (input[replicate] ?? Number.NaN), deltaOf(condition)),
      ),
    );
  }
  return values;
}

/** Each experiment reads two of the layer above. */
function layers(depth: number, width: number, replicates: number): BenchExperiment[] {
  return Array.from({ length: depth * width }, (_, i) => {
    const [layer, at] = [Math.floor(i / width), i % width];
    const above = layer === 0 ? [] : [at, (at + 1) % width].map((other) => nameOf(layer - 1, other));
    return { name: nameOf(layer, at), reads: [...new Set(above)], conditions: BOTH, replicates };
  });
}

function nameOf(layer: number, at: number): string {
  return `n${layer}-${at}`;
}

function independent(count: number): Shape {
  const experiments = Array.from({ length: count }, (_, i) => ({
    name: `e${i}`,
    reads: [],
    conditions: ['baseline'],
    replicates: 1,
  }));
  return { title: `${count.toLocaleString('en')} independent experiments`, experiments };
}
