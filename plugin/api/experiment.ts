import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { experimentOf } from '../graph/graph.ts';
import { ArtifactDatasource } from './artifact-datasource.ts';
import type { DebugOptions, DebugResult } from './debug.ts';
import { type ExperimentOrigin, replicatesOf, resolveOrigins } from './origin.ts';
import type { Shape } from './shape.ts';

/** One experiment: of a folder, or defined in code by `defineExperiment`. */
export class Experiment<S extends Shape = Shape> {
  /** For the types of the results; there is no value. */
  declare readonly shape?: S;

  /** @internal */
  constructor(readonly origin: ExperimentOrigin) {}

  /** Letters, digits, ".", "_" and "-". */
  get name(): S['name'] {
    return this.origin.name;
  }

  /** How many replicates each condition runs. */
  get replicates(): number {
    return replicatesOf(this.origin);
  }

  /** The baseline, its own treatments, and those that it inherits from upstream. */
  get conditions(): readonly S['condition'][] {
    return conditionsOf(resolveOrigins([this.origin]).graph, this.name);
  }

  /**
   * An output of this experiment as the datasource of another one: replicate i gets the value of replicate `i mod n`.
   *
   * @throws SettingsError when there is no such output
   * @example
   * const consumer = defineExperiment({
   *   name: 'consumer',
   *   datasource: { summary: producer.artifactDatasource({ output: 'summary' }) },
   *   steps: [({ summary }: { summary: Summary }) => withMetrics(summary, { mean: summary.mean })],
   * });
   */
  artifactDatasource<Output extends keyof S['outputs'] & string>(options: {
    readonly output: Output;
  }): ArtifactDatasource<S['outputs'][Output], S['condition']> {
    const { config } = experimentOf(resolveOrigins([this.origin]).graph, this.name);
    const outputs = config.outputs.map(({ alias }) => alias);
    const output: unknown = options?.output;
    if (typeof output !== 'string') {
      throw new SettingsError(
        `artifactDatasource takes the name of an output, as in artifactDatasource({ output: '${outputs[0] ?? 'summary'}' }).`,
      );
    }
    if (!outputs.includes(output)) {
      const hint = suggestion(output, outputs, `outputs of "${this.name}"`);
      throw new SettingsError(`The experiment "${this.name}" has no output "${output}". ${hint}`);
    }
    return new ArtifactDatasource(this.origin, output);
  }

  /**
   * Runs one replicate of one condition in this process, where breakpoints work and what steps print is seen at once. What
   * it reads is made first, in worker processes. Results go to `results/.debug`, and leave the others alone.
   *
   * @param treatment name of the condition; default: the baseline
   * @throws what a step threw, as it was
   * @example
   * const { metrics } = await experiment.debug('high_lr');
   */
  async debug(treatment?: S['condition'], options: DebugOptions = {}): Promise<DebugResult<S>> {
    const { debugExperiment } = await import('./debug.ts');
    return debugExperiment(resolveOrigins([this.origin]), this.name, treatment, options);
  }
}
