import type { Span } from '../base/diagnostics.ts';
import type { JsonObject } from '../base/json.ts';
import type { Path } from './located-node.ts';

/** A value with the place where it was written. */
export interface Located<T> {
  readonly value: T;
  readonly at: Span;
}

/** A function of one of the experiment's modules, with the arguments that the configuration gives it. */
export interface FunctionCall {
  readonly type: 'function';
  readonly name: string;
  readonly args: JsonObject;
  /** Where in them whole numbers are written as fractions. */
  readonly floats?: readonly Path[];
  readonly at: Span;
}

/** `experiment#output`. */
export interface Reference {
  readonly type: 'reference';
  readonly experiment: string;
  readonly output: string;
  readonly at: Span;
}

export interface DatasourceEntry {
  readonly alias: string;
  readonly aliasAt: Span;
  readonly source: FunctionCall | Reference;
}

export interface OutputEntry {
  readonly alias: string;
  /** Path inside the replicate's folder, with forward slashes. */
  readonly fileName: string;
  readonly writer: string | undefined;
  readonly loader: string | undefined;
  readonly at: Span;
}

export interface Treatment {
  readonly name: string;
  readonly values: JsonObject;
  /** Where in them whole numbers are written as fractions. */
  readonly floats?: readonly Path[];
  /** Datasources that this treatment swaps. */
  readonly datasource: readonly DatasourceEntry[];
  readonly at: Span;
}

export interface Hypothesis {
  readonly name: string;
  readonly verifier: string;
  /** One verdict for each group of metrics. */
  readonly metricGroups: readonly (readonly string[])[];
  /** What counts as significant: a corrected p-value below it. */
  readonly alpha: number;
  readonly alternative: 'two-sided' | 'greater' | 'less';
  /** Of `equivalence` and of `require: not-worse`; NaN when there is none. */
  readonly margin: number;
  readonly correction: 'holm' | 'benjamini-hochberg' | 'none';
  /** What the comparison has to come to, or it fails. */
  readonly require: 'significant' | 'not-worse' | undefined;
  /** Which values are good; `not-worse` takes higher ones for it when nothing is said. */
  readonly better: 'higher' | 'lower' | undefined;
  readonly at: Span;
}

/** What else a run reads. */
export type DeclaredInput =
  | {
      readonly type: 'files' /** Glob relative to the workspace root. */;
      readonly glob: string;
      readonly at: Span;
    }
  | { readonly type: 'env'; readonly name: string };

export interface Execution {
  readonly workers: number | undefined;
  readonly concurrency: number;
  readonly timeoutMs: number | undefined;
  readonly retries: number;
  /** How many tasks each condition is divided into; undefined: by the estimate, or not at all. */
  readonly shards: number | undefined;
  /** About how long one replicate takes. */
  readonly estimateMs: number | undefined;
  /** The interpreter of Python modules: a command, or a path relative to the folder. */
  readonly python: string | undefined;
}

export interface Presentation {
  readonly group: string | undefined;
  readonly priority: number | undefined;
  readonly icon: string | undefined;
  readonly color: string | undefined;
  readonly hidden: boolean;
}

/** Where the functions of an experiment are that was defined in code. */
export interface Definition {
  /** Absolute path of the module that defines it; undefined: only the process that did has them. */
  readonly module: string | undefined;
  /** Its one datasource reaches the first step bare, even when it is an artifact. */
  readonly bareSource: boolean;
}

/** One experiment as its config.yaml says it; nothing in it depends on other files. */
export interface ExperimentConfig {
  /** Relative to the workspace root, with forward slashes. */
  readonly file: string;
  /** Folder of `file`; `.` for the root itself. */
  readonly folder: string;
  readonly name: Located<string>;
  /** Undefined: its functions are in the modules of its folder. */
  readonly definition: Definition | undefined;
  readonly description: string | undefined;
  readonly replicates: Located<number> | undefined;
  readonly seed: number;
  readonly params: JsonObject;
  /** Where in them whole numbers are written as fractions. */
  readonly floats?: readonly Path[];
  readonly inputs: readonly DeclaredInput[];
  readonly datasource: readonly DatasourceEntry[];
  readonly steps: readonly FunctionCall[];
  readonly outputs: readonly OutputEntry[];
  readonly baseline: Treatment;
  /** In the order of the file, without the baseline. */
  readonly treatments: readonly Treatment[];
  readonly hypotheses: readonly Hypothesis[];
  readonly presentation: Presentation;
  readonly execution: Execution;
}
