import type { JsonObject } from '../base/json.ts';
import type { ErrorInfo, RunFailure } from '../runtime/failures.ts';
import { type ArtifactRecord, type Metrics, parseMetrics } from '../runtime/manifest.ts';

/** A function of a module; the module is undefined when its folder has none of that kind. */
export interface ModuleFunction {
  readonly module: string | undefined;
  readonly name: string;
}

/** What can run a job. Plain JSON; jobs with equal ones share workers. */
export type WorkerSpec =
  | { readonly type: 'node' }
  /** A thread of this process: for code that can reach nothing that threads share. */
  | { readonly type: 'thread' }
  /** @property command path of the interpreter */
  | { readonly type: 'python'; readonly command: string }
  /** The process that runs the graph: for functions that were defined in it. */
  | { readonly type: 'inline' };

/** Where the data of a job comes from. Paths are absolute. */
export type JobSource =
  | { readonly type: 'function'; readonly alias: string; readonly name: string; readonly args: JsonObject }
  | {
      readonly type: 'artifact';
      readonly alias: string;
      /** Folder that holds `replicate_<i>`. */
      readonly artifacts: string;
      readonly fileName: string;
      /** Replicate i reads number `i mod replicates`. */
      readonly replicates: number;
      /** Undefined: the bytes themselves. */
      readonly loader: ModuleFunction | undefined;
      /** Whose artifact it is. */
      readonly experiment: string;
      readonly condition: string;
    };

export interface JobOutput {
  readonly alias: string;
  readonly fileName: string;
  readonly writer: string | undefined;
}

/** What replicates of one condition have in common. Plain JSON. */
export interface ConditionJob {
  readonly id: string;
  readonly worker: WorkerSpec;
  readonly experiment: string;
  readonly condition: string;
  readonly root: string;
  readonly folder: string;
  readonly tsconfig: string | undefined;
  readonly modules: {
    readonly datasources: string | undefined;
    readonly steps: string | undefined;
    readonly outputs: string | undefined;
  };
  readonly context: JsonObject;
  /** For Python: where in `context`, `steps` and `sources` a whole number is a fraction, which JSON does not tell. */
  readonly floats?: readonly (readonly (string | number)[])[];
  readonly sources: readonly JobSource[];
  readonly bareSource: boolean;
  readonly steps: readonly { readonly name: string; readonly args: JsonObject }[];
  readonly outputs: readonly JobOutput[];
  /** Folder in which `replicate_<i>` is made. */
  readonly artifacts: string;
}

export interface ReplicateJob {
  readonly replicate: number;
  readonly seed: number;
  /** It was begun before: what that left is removed first. */
  readonly again?: true;
}

/** A verifier applied to metrics. */
export interface VerifyJob {
  readonly worker: WorkerSpec;
  readonly root: string;
  readonly folder: string;
  readonly tsconfig: string | undefined;
  readonly module: string | undefined;
  readonly verifier: string;
  readonly baseline: Metrics;
  readonly treatment: Metrics;
}

export type ToWorker =
  | {
      readonly type: 'run';
      readonly job: ConditionJob;
      readonly replicates: readonly ReplicateJob[];
      readonly concurrency: number;
      /** Send `replicate-started` too: needed for timeouts, and to tell which replicates a crash hit. */
      readonly announce: boolean;
      /** Tells apart the runs that a worker is sent. Whatever it says of one lies between its two ends, which repeat it. */
      readonly ticket: number;
    }
  | { readonly type: 'verify'; readonly verify: VerifyJob }
  /** What runs sees its signal. */
  | { readonly type: 'abort' }
  /** Nothing more will come: steps let go of what they hold, and the process ends. Node workers hold nothing. */
  | { readonly type: 'end' };

/** A file that was read, or a folder that was listed. */
export interface ObservedRead {
  /** Absolute. */
  readonly path: string;
  /** What `stateOf` said before it was read. */
  readonly state: string;
}

export type FromWorker =
  /** The modules are loaded, every function is found: from here on a crash is the fault of a replicate. */
  | { readonly type: 'batch-started'; readonly ticket: number }
  | { readonly type: 'replicate-started'; readonly replicate: number }
  /** Where starts are announced. `call` as in "step clean" or "datasource rows". */
  | { readonly type: 'call-started'; readonly replicate: number; readonly call: string }
  | {
      readonly type: 'replicate-finished';
      readonly replicate: number;
      readonly ms: number;
      readonly metrics: Metrics;
      readonly artifacts: Readonly<Record<string, ArtifactRecord>>;
    }
  | {
      readonly type: 'replicate-failed';
      readonly replicate: number;
      readonly ms: number;
      readonly failure: RunFailure;
    }
  | { readonly type: 'log'; readonly replicate: number | undefined; readonly text: string }
  /** Nothing of this condition can run here. */
  | { readonly type: 'batch-failed'; readonly ticket: number; readonly failure: RunFailure }
  /** It was taken back. */
  | { readonly type: 'batch-skipped'; readonly ticket: number }
  /** What was read for the first time for this experiment; before the answer of who read it. */
  | { readonly type: 'observed'; readonly reads: readonly ObservedRead[] }
  | { readonly type: 'batch-finished'; readonly ticket: number }
  /** An error that no step could catch; the worker ends after it. */
  | { readonly type: 'uncaught'; readonly error: ErrorInfo }
  | { readonly type: 'verified'; readonly verdict: JsonObject }
  | { readonly type: 'verify-failed'; readonly failure: RunFailure };

/**
 * Reads one line that a worker sent; undefined when it is no message, since the user's code can write to any file
 * descriptor.
 */
export function parseFromWorker(line: string): FromWorker | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const message = value as FromWorker;
  if (message.type !== 'replicate-finished') return message;
  if (!line.includes('"NaN"') && !line.includes('Infinity"')) return message;
  const metrics = parseMetrics(message.metrics);
  return metrics && { ...message, metrics };
}

/** What runs replicates. It takes one `run` or `verify` at a time, and some ahead if it says so. */
export interface Worker {
  /** How many runs it takes ahead now, to do one after the other; those can be taken back until they begin. */
  readonly ahead: number;
  send(message: ToWorker): void;
  /** Takes a run back. @returns false when it has begun */
  revoke(ticket: number): boolean;
  /** Ends an idle process, once its steps have let go of what they hold. */
  close(): Promise<void>;
  /** Ends the process: at once, or after giving steps a moment to see their signal. */
  stop(graceMs: number): Promise<void>;
}

/** What a worker tells its owner. `onExit` comes once, last. */
export interface WorkerListener {
  onMessage(message: FromWorker): void;
  onExit(how: string): void;
}

export type CreateWorker = (listener: WorkerListener, spec: WorkerSpec) => Worker;
