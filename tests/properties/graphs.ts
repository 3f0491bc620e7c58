import * as fc from 'fast-check';

/** A small world of experiments, as data that neither the plugin nor the reference has shaped. */
export interface World {
  readonly experiments: readonly Sketch[];
}

export interface Sketch {
  readonly name: string;
  readonly replicates: number | undefined;
  readonly params: Values;
  readonly baseline: SketchedTreatment | undefined;
  readonly treatments: readonly SketchedTreatment[];
  /** Upstream by alias; undefined: a function. */
  readonly datasource: Readonly<Record<string, string | undefined>>;
}

interface SketchedTreatment {
  readonly name: string;
  readonly values: Values;
  /** What the treatment puts in the place of a datasource; undefined: a function. */
  readonly swaps: Readonly<Record<string, string | undefined>>;
}

type Values = Readonly<Record<string, number>>;

const TREATMENTS = ['t1', 't2', 't3', 't4'];
const ALIASES = ['x', 'y', 'z'];

const values: fc.Arbitrary<Values> = fc.dictionary(
  fc.constantFrom('p', 'q', 'r'),
  fc.integer({ min: 0, max: 9 }),
);

/** Experiments that read only such as come before them; the names are then shuffled against the order. */
export const world: fc.Arbitrary<World> = fc
  .integer({ min: 1, max: 7 })
  .chain((size) => fc.shuffledSubarray(NAMES.slice(0, size), { minLength: size }))
  .chain((names) => fc.tuple(...names.map((name, i) => sketch(name, names.slice(0, i)))))
  .chain((experiments) => fc.shuffledSubarray(experiments, { minLength: experiments.length }))
  .map((experiments) => ({ experiments }));

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

function sketch(name: string, before: readonly string[]): fc.Arbitrary<Sketch> {
  const source = fc.constantFrom(undefined, ...before, ...before);
  return fc
    .record({
      datasource: fc.dictionary(fc.constantFrom(...ALIASES), source, { minKeys: 1 }),
      replicates: fc.option(fc.constantFrom(1, 3, 3, 5), { nil: undefined }),
      params: values,
      names: fc.subarray(['baseline', ...TREATMENTS], { maxLength: 3 }),
    })
    .chain(({ names, ...rest }) => {
      const swaps = fc.dictionary(fc.constantFrom(...Object.keys(rest.datasource)), source, { maxKeys: 1 });
      const treatment = (of: string): fc.Arbitrary<SketchedTreatment> =>
        fc.record({ name: fc.constant(of), values, swaps });
      return fc.tuple(...names.map(treatment)).map((all) => ({
        name,
        ...rest,
        baseline: all.find((one) => one.name === 'baseline'),
        treatments: all.filter((one) => one.name !== 'baseline'),
      }));
    });
}

/** The config.yaml of a sketch. JSON is YAML. */
export function textOf({ replicates, params, baseline, treatments, datasource }: Sketch): string {
  const source = (upstream: string | undefined): string =>
    upstream === undefined ? 'load' : `${upstream}#out`;
  const sources = (entries: Readonly<Record<string, string | undefined>>): Record<string, string> =>
    Object.fromEntries(Object.entries(entries).map(([alias, upstream]) => [alias, source(upstream)]));
  return JSON.stringify({
    ...(replicates === undefined ? {} : { replicates }),
    params,
    datasource: sources(datasource),
    steps: ['run'],
    outputs: { out: {} },
    treatments: Object.fromEntries(
      [...(baseline === undefined ? [] : [baseline]), ...treatments].map(({ name, values: own, swaps }) => [
        name,
        { ...own, ...(Object.keys(swaps).length > 0 ? { datasource: sources(swaps) } : {}) },
      ]),
    ),
  });
}
