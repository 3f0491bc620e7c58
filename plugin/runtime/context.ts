import type { Writable } from 'node:stream';

/** What a datasource or a step sees beside its data. */
export interface StepContext<Params extends object = Readonly<Record<string, unknown>>> {
  readonly experiment: string;
  readonly condition: string;
  /** Index from 0. */
  readonly replicate: number;
  /** (root seed + replicate * 31337) mod 2^32: the same in every condition. */
  readonly seed: number;
  /** A number in [0, 1) from a generator that starts anew from the seed in every replicate. */
  random(): number;
  /** The context's values, with the arguments of this step or datasource over them. Frozen. */
  readonly params: Readonly<Params>;
  readonly metrics: {
    /**
     * Records a value under a name; a name may be used several times.
     *
     * @throws when the value is not a number
     */
    add(name: string, value: number): void;
  };
  /**
   * The file of a declared output.
   *
   * @param name alias of the output in config.yaml
   * @throws when no output has that alias
   */
  artifact(name: string): Artifact;
  /** Prints a line, and keeps it in run.jsonl. */
  log(message: string): void;
  /** The replicate's own. Aborted when the run is stopped or the replicate runs out of time. */
  readonly signal: AbortSignal;
  /** Absolute path of the experiment's folder, which is also the working directory. */
  readonly folder: string;
}

/** One declared output of one replicate. It is written once, in one of three ways. */
export interface Artifact {
  /** Passes the value to the output's writer and writes what that returns: text or bytes. */
  write(value: unknown): Promise<void>;
  /** Absolute path to write to, for libraries that write files themselves. */
  readonly path: string;
  /** A stream for what does not fit in memory; end it before the last step returns. */
  stream(): Writable;
}

const STEP = Symbol.for('nx-experiments.step');
const METRICS = Symbol.for('nx-experiments.metrics');
const REQUIRED = Symbol.for('nx-experiments.required');

type Awaitable<T> = T | Promise<T>;

/** A step that declares its parameters. Callable as it is, in a test for example. */
export type Step<Data, Params extends object, Out> = (
  data: Data,
  params: Params,
  context: StepContext<Params>,
) => Awaitable<Out>;

/** A datasource that declares its parameters. */
export type Datasource<Params extends object, Out> = (
  params: Params,
  context: StepContext<Params>,
) => Awaitable<Out>;

/**
 * Declares the parameters of a step: their names, defaults and, by those, types.
 * A value comes from the step's arguments in config.yaml, else from the context, else the default.
 *
 * @example
 * export const shift = defineStep({ delta: 0 }, (data: number[], { delta }) => data.map((x) => x + delta));
 */
export function defineStep<Params extends object, Data, Out>(
  defaults: Params,
  run: Step<Data, Params, Out>,
): Step<Data, Params, Out> {
  return declare(
    (data: Data, params: Params, context: StepContext<Params>) => run(data, params, context),
    defaults,
  );
}

/**
 * Declares the parameters of a datasource, as `defineStep` does for a step.
 *
 * @example
 * export const load = defineDatasource({ path: 'data.json' }, ({ path }) => JSON.parse(readFileSync(path, 'utf8')));
 */
export function defineDatasource<Params extends object, Out>(
  defaults: Params,
  run: Datasource<Params, Out>,
): Datasource<Params, Out> {
  return declare((params: Params, context: StepContext<Params>) => run(params, context), defaults);
}

/** A parameter without a default: config.yaml must give its value. */
export function required<T>(): T {
  return REQUIRED as T;
}

/** What a step returns when it has metrics beside its data. */
export interface WithMetrics<Data, Metric extends string = string> {
  readonly data: Data;
  readonly metrics: Readonly<Record<Metric, number>>;
}

/** Returns data together with metrics from a step. */
export function withMetrics<Data, Metric extends string>(
  data: Data,
  metrics: Readonly<Record<Metric, number>>,
): WithMetrics<Data, Metric> {
  return Object.defineProperty({ data, metrics }, METRICS, { value: true });
}

export function isWithMetrics(value: unknown): value is WithMetrics<unknown> {
  return typeof value === 'object' && value !== null && METRICS in value;
}

/** The declared parameters of a function made by `defineStep` or `defineDatasource`. */
export function declaredParameters(candidate: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof candidate === 'function' && STEP in candidate
    ? (candidate as { [STEP]: Record<string, unknown> })[STEP]
    : undefined;
}

export function isRequired(value: unknown): boolean {
  return value === REQUIRED;
}

function declare<F extends (...args: never[]) => unknown>(callable: F, defaults: object): F {
  return Object.defineProperty(callable, STEP, { value: defaults });
}
