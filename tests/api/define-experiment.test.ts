import { existsSync, readFileSync } from 'node:fs';
import {
  defineExperiment,
  ExperimentGraph,
  ExperimentInput,
  type Result,
  SettingsError,
  type StepContext,
  withMetrics,
} from 'nx-experiments';
import { expect, expectTypeOf, test } from 'vitest';
import { Folder } from '../support/folder.ts';
import { producerIn, type Summary } from './lab.ts';

test('experiments in code read each other, and treatments flow by name', async () => {
  using folder = new Folder();
  const producer = producerIn(folder);
  const consumer = defineExperiment({
    name: 'consumer',
    folder: folder.join('consumer'),
    datasource: new ExperimentInput({ summary: producer.artifactDatasource({ output: 'summary' }) }),
    steps: [({ summary }: { summary: Summary }) => withMetrics(summary, { seen: summary.mean })],
    hypotheses: [
      {
        name: 'more',
        verifier: (baseline: { seen: number[] }, treatment: { seen: number[] }) => ({
          ratio: (treatment.seen[0] ?? 0) / (baseline.seen[0] ?? 1),
        }),
        metrics: 'seen',
      },
    ],
  });
  const graph = ExperimentGraph.fromExperiments(producer, consumer);
  expect(graph.order).toEqual(['producer', 'consumer']);
  expect({ ...graph.dependencies }).toEqual({ producer: [], consumer: ['producer'] });

  const results = await graph.run();
  expectTypeOf(results.consumer.values).parameter(0).toEqualTypeOf<'seen'>();
  expectTypeOf(results.consumer.conditions).toEqualTypeOf<readonly ('baseline' | 'doubled')[]>();
  const doubled = results.consumer.values('seen', 'doubled');
  expect(results.consumer.values('seen').map((value) => value * 2)).toEqual(doubled);
  expect(new Set(doubled).size).toBe(3);
  expect(results.consumer.hypotheses).toMatchObject([
    { hypothesis: 'more', condition: 'doubled', result: { ok: true, values: { ratio: 2 } } },
  ]);
  expect(results.consumer.provenance.conditions.doubled?.upstream).toEqual({ producer: 'doubled' });
  const artifact = results.producer.artifacts.doubled[1]?.summary;
  const summary: Summary | undefined = await artifact?.load();
  expect(summary).toEqual({ mean: doubled[1] });
  expect(JSON.parse(readFileSync(artifact?.path ?? '', 'utf8'))).toEqual({ mean: doubled[1] });
  for (const file of ['baseline/metrics.json', 'doubled/run.jsonl', 'report/summary.json']) {
    expect(existsSync(folder.join('consumer/results', file)), file).toBe(true);
  }
});

test('only the treatments that are asked for run, beside the baseline', async () => {
  using folder = new Folder();
  const producer = producerIn(folder);
  const { producer: result } = await ExperimentGraph.fromExperiments([producer]).run({ treatments: [] });
  expect(result.conditions).toEqual(['baseline']);
  await expect(
    ExperimentGraph.fromExperiments(producer).run({ treatments: 'doubled' as never }),
  ).rejects.toThrow('"treatments" must be a list of names');
  await expect(ExperimentGraph.fromExperiments(producer).run({ treatments: ['dubled'] })).rejects.toThrow(
    'No experiment of the graph has a treatment "dubled". Did you mean "doubled"?',
  );
});

test('what a step throws is an error of the result; the rest goes on', async () => {
  using folder = new Folder();
  const experiment = defineExperiment({
    name: 'fragile',
    folder: folder.join('fragile'),
    replicates: 3,
    datasource: (ctx: StepContext) => ctx.replicate,
    steps: {
      check: (replicate: number) => {
        if (replicate === 1) throw new Error('one is bad');
        return withMetrics(replicate, { value: replicate });
      },
    },
  });
  const { fragile } = await ExperimentGraph.fromExperiments(experiment).run();
  expect(fragile.status).toBe('failed');
  expect(fragile.errors).toMatchObject([
    { condition: 'baseline', replicate: 1, message: 'step check threw Error: one is bad' },
  ]);
  expect(fragile.values('value')).toEqual([0, Number.NaN, 2]);
  expect(fragile.metrics.baseline[1]).toBeUndefined();
});

test('inputs whose replicates differ are named with their counts', () => {
  using folder = new Folder();
  const a = producerIn(folder, 3, 'a');
  const b = producerIn(folder, 5, 'b');
  expect(
    () =>
      new ExperimentInput({
        left: a.artifactDatasource({ output: 'summary' }),
        right: b.artifactDatasource({ output: 'summary' }),
      }),
  ).toThrow(
    'The inputs have different numbers of replicates: left (a#summary) has 3, right (b#summary) has 5. Give their experiments the same number, or 1.',
  );
});

test('a definition that is wrong is refused with all its problems', () => {
  const datasource = (): number => 1;
  const define = (options: object) => () =>
    defineExperiment({ name: 'x', datasource, steps: [(x: number) => x], ...options });
  expect(define({ name: '../x', replicates: 0 })).toThrow(SettingsError);
  expect(define({ name: '../x', replicates: 0 })).toThrow(/name[\s\S]*replicates/);
  expect(define({ params: { when: new Date(0) } })).toThrow(
    'defineExperiment: "params.when" is a Date; values are plain data',
  );
  expect(define({ params: { lr: Number.NaN } })).toThrow('"params.lr" is NaN');
  expect(define({ replicats: 3, steps: [] })).toThrow(
    /"steps" is empty[\s\S]*Unknown key "replicats"[\s\S]*Did you mean "replicates"\?/,
  );
  expect(define({ outputs: { out: { filename: 'out.json' } } })).toThrow(
    'Unknown key "filename" in "outputs.out"',
  );
  for (const key of ['datasource', 'steps'])
    expect(define({ [key]: undefined })).toThrow(`The configuration lacks "${key}"`);
  expect(define({ steps: [null] })).toThrow('"step_1" under steps is null instead of a function.');
  expect(define({ steps: datasource })).toThrow('"steps" is a function; it is a list of functions');
  expect(define({ datasource: 'up#out' })).toThrow('"datasource" is a string; it is a function, an artifact');
  expect(define({ outputs: { out: 3 }, treatments: [], hypotheses: [null] })).toThrow(
    /"outputs.out" must be[\s\S]*"treatments" must be a mapping[\s\S]*"hypotheses\[0\]" must be a mapping/,
  );
  const endless: Record<string, unknown> = {};
  endless.again = endless;
  expect(define({ params: endless })).toThrow(
    '"params.again.again.again…" is nested more than 64 levels deep',
  );
  for (const options of [undefined, null, [], 'x'])
    expect(() => defineExperiment(options as never)).toThrow(
      'defineExperiment takes the experiment as an object',
    );
  expect(() => ExperimentGraph.fromExperiments({ name: 'x' } as never)).toThrow(
    'fromExperiments takes experiments',
  );
  const producer = producerIn(new Folder());
  expect(() => producer.artifactDatasource({ output: 'sumary' as 'summary' })).toThrow(
    'The experiment "producer" has no output "sumary". Did you mean "summary"?',
  );
  expect(() => producer.artifactDatasource({} as never)).toThrow("artifactDatasource({ output: 'summary' })");
  const swapped = producer.artifactDatasource({ output: 'summary' });
  expect(define({ treatments: { other: { datasource: swapped } } })).toThrow(
    '"treatments.other.datasource" is an ArtifactDatasource; it is a mapping from the datasources that it swaps.',
  );
  expect(() => ExperimentGraph.fromExperiments(producer, producerIn(new Folder()))).toThrow(
    '2 experiments are named "producer".',
  );
});

test('Math.random is seeded in a replicate, and is not elsewhere', async () => {
  using folder = new Folder();
  const experiment = defineExperiment({
    name: 'dice',
    folder: folder.join('dice'),
    replicates: 4,
    datasource: () => Math.random(),
    steps: [(draw: number) => withMetrics(draw, { draw })],
  });
  const graph = ExperimentGraph.fromExperiments(experiment);
  const before = Math.random;
  const draws: number[][] = [];
  for (let i = 0; i < 2; i++) draws.push((await graph.run()).dice.values('draw'));
  expect(draws[0]).toEqual(draws[1]);
  expect(new Set(draws[0]).size).toBe(4);
  expect(Math.random).toBe(before);
});

test('without known metrics any name is one', async () => {
  using folder = new Folder();
  const experiment = defineExperiment({
    name: 'free',
    folder: folder.join('free'),
    datasource: () => 1,
    steps: [
      (x: number, ctx: StepContext) => {
        ctx.metrics.add('anything', x);
        return x;
      },
    ],
  });
  const { free } = await ExperimentGraph.fromExperiments(experiment).run();
  expectTypeOf(free).toExtend<Result>();
  expect(free.values('anything')).toEqual([1]);
  expect(free.values('constructor' as 'anything')).toEqual([Number.NaN]);
  expect(() => free.values('anything', 'nothing' as 'baseline')).toThrow(RangeError);
});
