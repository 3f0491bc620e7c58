import type { Verdict } from '../report/model.ts';
import type { ConditionStatus } from '../runtime/events.ts';
import type { RunFailure } from '../runtime/failures.ts';
import type { Shape } from './shape.ts';

/** A file that a replicate has written. */
export interface ResultArtifact<Value = unknown> {
  /** Absolute. */
  readonly path: string;
  /** Size of the file. */
  readonly bytes: number;
  /** Digest of the file, in hexadecimal digits. */
  readonly sha256: string;
  /**
   * Reads the file with the experiment's loader; without one, its bytes.
   *
   * @throws Error when it is not what this run wrote, as after a later run; else what the loader throws
   */
  load(): Promise<Value>;
}

/** Why a replicate, or a whole condition, has no result. */
export interface ResultError {
  readonly condition: string;
  /** Undefined when the condition failed as a whole. */
  readonly replicate: number | undefined;
  /** What happened, in a sentence. */
  readonly message: string;
  /** The frames of the user's own code, one a line; empty when there are none. */
  readonly stack: string;
  /** The same as data; undefined for a condition that was skipped behind a failed one, or stopped. */
  readonly failure: RunFailure | undefined;
}

/** Where the results of a condition come from. */
export interface ConditionProvenance {
  readonly status: ConditionStatus;
  /** Replicates that were taken from the run store. */
  readonly reused: number;
  /** Replicates that ran. */
  readonly ran: number;
  /** Seconds since 1970 would be ambiguous: an ISO 8601 date in UTC. */
  readonly startedAt: string;
  /** Duration in milliseconds. */
  readonly ms: number;
  /** Condition at which each upstream experiment was read, by name. */
  readonly upstream: Readonly<Record<string, string>>;
}

/** Metrics of one replicate: every value that was recorded under a name, in order. */
export type ReplicateMetrics<Metric extends string = string> = {
  readonly [Name in Metric]?: readonly number[];
};

/** What one experiment came to. The same results lie in its folder under `results/`. */
export interface Result<S extends Shape = Shape> {
  readonly experiment: S['name'];
  /** `succeeded` when every condition did and every hypothesis could be verified. */
  readonly status: ConditionStatus;
  /** The conditions that were asked for, the baseline first. */
  readonly conditions: readonly S['condition'][];
  /** By condition and replicate; undefined where a replicate has no result. */
  readonly metrics: {
    readonly [Condition in S['condition']]: readonly (ReplicateMetrics<S['metric']> | undefined)[];
  };
  /** By condition, replicate and output; undefined where a replicate has no result. */
  readonly artifacts: {
    readonly [Condition in S['condition']]: readonly (
      | { readonly [Output in keyof S['outputs']]: ResultArtifact<S['outputs'][Output]> }
      | undefined
    )[];
  };
  /** A verdict for each hypothesis, group of metrics and treatment; none when a condition failed. */
  readonly hypotheses: readonly Verdict[];
  readonly errors: readonly ResultError[];
  readonly provenance: {
    /** Versions of this package and of Node. */
    readonly versions: { readonly 'nx-experiments': string; readonly node: string };
    readonly seed: number;
    readonly replicates: number;
    /** Absolute path of the experiment's folder. */
    readonly folder: string;
    readonly conditions: Readonly<Record<string, ConditionProvenance>>;
  };
  /**
   * All values of a metric in the order of the replicates, NaN for a replicate that recorded none, so that the values of
   * two conditions pair up.
   *
   * @param condition default: the baseline
   * @throws RangeError when the condition was not run
   */
  values(metric: S['metric'], condition?: S['condition']): number[];
}
