import { tellDefinition } from '../runtime/definitions.ts';
import type { ArtifactDatasource, ExperimentInput, Inputs } from './artifact-datasource.ts';
import { configOf } from './definition-config.ts';
import { Experiment } from './experiment.ts';
import type { Datasources, ExperimentOptions, TreatmentDefinition } from './experiment-options.ts';
import { defineOrigin } from './origin.ts';
import type {
  AnyFunction,
  FunctionEntry,
  KnownMetric,
  OutputDefinition,
  OutputValue,
  ReturnedMetric,
} from './shape.ts';

type ConditionsOf<Source> =
  Source extends ArtifactDatasource<unknown, infer Condition>
    ? Condition
    : Source extends ExperimentInput<infer Bundle>
      ? ConditionsOf<Bundle[keyof Bundle]>
      : Source extends AnyFunction | readonly unknown[]
        ? never
        : Source extends object
          ? { [Alias in keyof Source]: ConditionsOf<Source[Alias]> }[keyof Source]
          : never;

type EntriesOf<Steps> = Steps extends readonly (infer Entry)[] ? Entry : Steps[keyof Steps];

/**
 * Defines an experiment in code; it runs on the same engine as a folder with a config.yaml, and leaves the same results.
 *
 * @throws SettingsError with every problem of the options, as for a config.yaml
 * @example
 * const coin = defineExperiment({
 *   name: 'coin',
 *   replicates: 100,
 *   datasource: (ctx: StepContext) => ctx.random(),
 *   steps: [(draw: number, ctx: StepContext<{ bias: number }>) => withMetrics(draw, { heads: draw < ctx.params.bias ? 1 : 0 })],
 *   params: { bias: 0.5 },
 *   treatments: { biased: { bias: 0.8 } },
 * });
 * const { coin: result } = await ExperimentGraph.fromExperiments(coin).run();
 * result.values('heads', 'biased'); // typed: both names are checked
 */
export function defineExperiment<
  const Name extends string,
  const Source extends FunctionEntry | ArtifactDatasource | ExperimentInput<Inputs> | Datasources,
  const Steps extends readonly FunctionEntry[] | Readonly<Record<string, FunctionEntry>>,
  const Outputs extends Readonly<Record<string, OutputDefinition>> = Record<never, never>,
  const Treatments extends Readonly<Record<string, TreatmentDefinition>> = Record<never, never>,
  const Metric extends string = never,
>(
  options: ExperimentOptions<Name, Source, Steps, Outputs, Treatments, Metric>,
): Experiment<{
  readonly name: Name;
  readonly metric: KnownMetric<Metric | ReturnedMetric<EntriesOf<Steps>>>;
  readonly outputs: { readonly [Alias in keyof Outputs]: OutputValue<Outputs[Alias]> };
  readonly condition: 'baseline' | (keyof Treatments & string) | ConditionsOf<Source>;
}> {
  const { text, functions, upstream, bareSource } = configOf(options as unknown as ExperimentOptions);
  tellDefinition(options.name, functions);
  return new Experiment(defineOrigin(options, { text, functions, upstream, bareSource }));
}
