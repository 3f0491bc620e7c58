import type { BuiltInTest } from '../statistics/built-in.ts';
import type { ArtifactDatasource, ExperimentInput } from './artifact-datasource.ts';
import type { AnyFunction, FunctionEntry, OutputDefinition } from './shape.ts';

/** Datasources by alias. */
export type Datasources = Readonly<Record<string, FunctionEntry | ArtifactDatasource>>;

/** Values of a treatment; its `datasource` swaps datasources of the experiment. */
export interface TreatmentDefinition {
  readonly datasource?: Datasources;
  readonly [parameter: string]: unknown;
}

/** A verifier applied to metrics of the baseline and of each treatment. */
export interface HypothesisDefinition {
  /** Default: the name of the verifier. */
  readonly name?: string;
  /**
   * Gets `{ metric: values }` of the baseline and of the treatment, and returns such as `{ p_value, significant }`; or the name of a
   * built-in test. Default: `paired_t_test`.
   */
  readonly verifier?: AnyFunction | BuiltInTest;
  /** A metric, a list of metrics, or lists of metrics (then one verdict for each list). */
  readonly metrics: string | readonly string[] | readonly (readonly string[])[];
  /** A corrected p-value below it is significant. Default: 0.05. */
  readonly alpha?: number;
  /** Default: `two-sided`. */
  readonly alternative?: 'two-sided' | 'greater' | 'less';
  /** Largest difference that does not matter, for `equivalence` and `require: 'not-worse'`. */
  readonly margin?: number;
  /** Default: `holm`, over all verdicts of the experiment. */
  readonly correction?: 'holm' | 'benjamini-hochberg' | 'none';
  /** Fails the comparison unless every condition meets it. */
  readonly require?: 'significant' | 'not-worse';
  /** Which values are good: reports then say better and worse. `require: 'not-worse'` takes higher for better when nothing is said. */
  readonly better?: 'higher' | 'lower';
}

/** What `defineExperiment` takes: the keys of config.yaml, with functions in place of their names. */
export interface ExperimentOptions<
  Name extends string = string,
  Source = FunctionEntry | ArtifactDatasource | ExperimentInput | Datasources,
  Steps = readonly FunctionEntry[] | Readonly<Record<string, FunctionEntry>>,
  Outputs = Readonly<Record<string, OutputDefinition>>,
  Treatments = Readonly<Record<string, TreatmentDefinition>>,
  Metric extends string = string,
> {
  /** Letters, digits, ".", "_" and "-". */
  readonly name: Name;
  readonly description?: string;
  /** Folder of its results, its own alone; absolute or relative to the working directory. Default: `experiments/<name>`. */
  readonly folder?: string;
  /**
   * `import.meta.url` of the module that defines the experiment. Worker processes then load that module and take the
   * functions from it, in parallel, and finished replicates are reused while that code stays the same. What functions
   * close over must not depend on more than the module's files: give the rest as `params`. Without it, replicates run in this
   * process and are never reused.
   */
  readonly module?: string;
  /** How many replicates each condition runs. Default: the upstream's count, else 1. */
  readonly replicates?: number;
  /** Root seed. Default: 0. Replicate i gets (seed + i * 31337) mod 2^32. */
  readonly seed?: number;
  /** Values that every condition shares; a treatment's value wins. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** What else a run reads: globs of files relative to the folder, and environment variables. */
  readonly inputs?: readonly (string | { readonly env: string })[];
  /** Where the data comes from: one function or artifact (the first step gets its value), or several by alias. */
  readonly datasource: Source;
  /** Functions in order, or functions by name. Each gets what the one before has returned. */
  readonly steps: Steps;
  readonly outputs?: Outputs;
  /** Named values, each a condition. `baseline` gives the baseline values of its own. */
  readonly treatments?: Treatments;
  readonly hypotheses?: readonly HypothesisDefinition[];
  /** Names of metrics that steps record with `ctx.metrics.add`, for the types of the results. */
  readonly metrics?: readonly Metric[];
  readonly execution?: {
    /** Most worker processes. */
    readonly workers?: number;
    /** Replicates that one worker interleaves. */
    readonly concurrency?: number;
    /** Longest time for one replicate, such as `10m`. */
    readonly timeout?: string;
    readonly retries?: number;
    /** Tasks that Nx divides each condition into. Without meaning for runs without Nx. */
    readonly shards?: number;
    /** About how long one replicate takes, such as `30s`: by it Nx divides conditions into shards. */
    readonly estimate?: string;
    /** The interpreter of Python modules. Without meaning for functions in code. */
    readonly python?: string;
  };
}
