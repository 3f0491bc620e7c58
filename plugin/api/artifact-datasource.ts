import { SettingsError } from '../base/settings-error.ts';
import { type ExperimentOrigin, replicatesOf } from './origin.ts';

declare const VALUE: unique symbol;
declare const CONDITION: unique symbol;

/** An output of another experiment as a datasource: made by `experiment.artifactDatasource`. */
export class ArtifactDatasource<Value = unknown, Condition extends string = string> {
  declare readonly [VALUE]: Value;
  declare readonly [CONDITION]: Condition;

  constructor(
    /** @internal */
    readonly origin: ExperimentOrigin,
    /** Name of the output. */
    readonly output: string,
  ) {}

  /** `experiment#output`. */
  get reference(): string {
    return `${this.origin.name}#${this.output}`;
  }
}

/** Datasources by alias. */
export type Inputs = Readonly<Record<string, ArtifactDatasource>>;

/** What a step gets from inputs: each alias with the value of its artifact. */
export type InputValues<Bundle extends Inputs> = {
  readonly [Alias in keyof Bundle]: Bundle[Alias] extends ArtifactDatasource<infer Value> ? Value : never;
};

/**
 * Bundles outputs of several experiments into one datasource: the first step gets a mapping from alias to value.
 *
 * @example
 * const datasource = new ExperimentInput({
 *   summary: producer.artifactDatasource({ output: 'summary' }),
 *   metrics: analytics.artifactDatasource({ output: 'metrics' }),
 * });
 */
export class ExperimentInput<const Bundle extends Inputs = Inputs> {
  /** @throws SettingsError when the experiments have different numbers of replicates; a count of 1 agrees with any */
  constructor(readonly inputs: Bundle) {
    const entries = Object.entries(inputs ?? {});
    if (entries.length === 0) throw new SettingsError('An ExperimentInput needs at least one datasource.');
    for (const [alias, input] of entries) {
      if (input instanceof ArtifactDatasource) continue;
      throw new SettingsError(
        `The input "${alias}" is no artifact datasource. Make it with experiment.artifactDatasource({ output }).`,
      );
    }
    const counts = entries.map(([alias, { reference, origin }]) => {
      const count = replicatesOf(origin);
      return { text: `${alias} (${reference}) has ${count}`, count };
    });
    if (new Set(counts.map(({ count }) => count).filter((count) => count > 1)).size < 2) return;
    throw new SettingsError(
      `The inputs have different numbers of replicates: ${counts.map(({ text }) => text).join(', ')}. Give their experiments the same number, or 1.`,
    );
  }
}
