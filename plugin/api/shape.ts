import type { WithMetrics } from '../runtime/context.ts';

/** What is known of an experiment while it is written: makes its results typed. */
export interface Shape {
  readonly name: string;
  /** Names of its metrics. */
  readonly metric: string;
  /** Values of its outputs, as their loaders give them. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Names of its conditions. */
  readonly condition: string;
}

/** Any function: what its parameters are is checked when it is called. */
export type AnyFunction = (...args: never[]) => unknown;

/** A function, or a function with the arguments that go before the context's values. */
export type FunctionEntry = AnyFunction | readonly [AnyFunction, Readonly<Record<string, unknown>>];

export type BuiltInWriter = 'dump_json' | 'dump_text' | 'dump_bytes';
export type BuiltInLoader = 'load_json' | 'load_text' | 'load_bytes';

/** A file that each replicate writes. */
export interface OutputDefinition<Value = never> {
  /** Path inside the replicate's folder. Default: the output's name. */
  readonly fileName?: string;
  /** Turns a value into text or bytes. Default: text and bytes are written as they are. */
  readonly writer?: BuiltInWriter | ((value: Value) => string | Uint8Array | Promise<string | Uint8Array>);
  /** Reads the file at an absolute path, for downstream experiments and for results. Default: its bytes. */
  readonly loader?: BuiltInLoader | ((path: string) => unknown);
}

declare const VALUE: unique symbol;

/** An output whose file is JSON of a known type. */
export interface JsonOutput<Value> extends OutputDefinition {
  readonly [VALUE]: Value;
}

/**
 * An output that is written as JSON and read back as the same type.
 *
 * @param fileName path inside the replicate's folder; default: the output's name
 * @example
 * outputs: { summary: jsonOutput<{ mean: number }>('summary.json') }
 */
export function jsonOutput<Value>(fileName?: string): JsonOutput<Value> {
  const output: OutputDefinition = {
    writer: 'dump_json',
    loader: 'load_json',
    ...(fileName === undefined ? {} : { fileName }),
  };
  return output as JsonOutput<Value>;
}

/** What readers of an output get. */
export type OutputValue<Output> = Output extends { readonly [VALUE]: infer Value }
  ? Value
  : Output extends { readonly loader: (path: string) => infer Value }
    ? Awaited<Value>
    : Output extends { readonly loader: 'load_text' }
      ? string
      : Output extends { readonly loader: 'load_json' }
        ? unknown
        : Uint8Array;

type MetricOf<Value> = Value extends WithMetrics<unknown, infer Metric> ? Metric : never;

/** Names of the metrics that functions return with `withMetrics`. */
export type ReturnedMetric<Entry> = Entry extends readonly [infer Function, unknown]
  ? ReturnedMetric<Function>
  : Entry extends (...args: never[]) => infer Returned
    ? MetricOf<Awaited<Returned>>
    : never;

/** Any name when none is known. */
export type KnownMetric<Metric extends string> = [Metric] extends [never] ? string : Metric;
