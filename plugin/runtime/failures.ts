import { assertNever } from '../base/diagnostics.ts';

/** An error of the user's code as it crosses from a worker. */
export interface ErrorInfo {
  readonly name: string;
  readonly message: string;
  /** The frames of the user's own code, one per line; empty when there are none. */
  readonly stack: string;
}

/** What has to run so that something is there: a condition, or a shard of one such as `2of4`. */
export interface Maker {
  readonly experiment: string;
  readonly condition: string;
  readonly shard?: string;
}

/** Why one replicate, or a whole condition before its first replicate, failed. Plain data. */
export type RunFailure =
  | { readonly reason: 'step-threw'; readonly step: string; readonly error: ErrorInfo }
  | { readonly reason: 'datasource-threw'; readonly datasource: string; readonly error: ErrorInfo }
  | { readonly reason: 'module-missing'; readonly module: string; readonly folder: string }
  | { readonly reason: 'module-threw'; readonly file: string; readonly error: ErrorInfo }
  | {
      readonly reason: 'function-missing';
      readonly name: string;
      readonly file: string;
      readonly remedy: string;
    }
  | {
      readonly reason: 'function-undecorated';
      readonly name: string;
      readonly file: string;
      /** The decorator that it needs. */
      readonly decorator: string;
    }
  | {
      readonly reason: 'package-missing';
      readonly file: string;
      /** What is missing for which interpreter. */
      readonly package: string;
      /** The command that installs it. */
      readonly install: string;
      readonly error: ErrorInfo;
    }
  | {
      readonly reason: 'interpreter-unusable';
      /** What was tried, and what came of it. */
      readonly tried: string;
      readonly remedy: string;
    }
  /** The treatment or `params` set what the engine itself puts into the context. */
  | { readonly reason: 'context-reserved'; readonly key: string }
  | {
      /** A loader in another language, without a stand-in. */
      readonly reason: 'loader-foreign';
      readonly loader: string;
      readonly producer: string;
      readonly fileName: string;
      /** The consumer's module that could have a function of that name. */
      readonly outputs: string;
    }
  | {
      readonly reason: 'format-missing';
      readonly kind: 'writer' | 'loader';
      readonly name: string;
      /** Whose outputs module was looked for. */
      readonly owner: string;
      readonly remedy: string;
    }
  | {
      readonly reason: 'parameter-missing';
      readonly parameter: string;
      readonly step: string;
      /** A step in Python that has no parameter `data`. */
      readonly withoutData?: true;
    }
  | {
      readonly reason: 'parameter-unknown';
      readonly parameter: string;
      readonly step: string;
      readonly remedy: string;
    }
  | {
      readonly reason: 'parameter-type';
      readonly parameter: string;
      readonly step: string;
      readonly expected: string;
      readonly got: string;
    }
  /** `call` as in "step clean", where it is known. */
  | { readonly reason: 'timed-out'; readonly limitMs: number; readonly call?: string }
  | { readonly reason: 'load-timed-out'; readonly limitMs: number }
  | { readonly reason: 'worker-exited'; readonly how: string }
  /** Thrown where no step could catch it: in a timer, or by a promise that nobody awaited. */
  | { readonly reason: 'uncaught'; readonly error: ErrorInfo }
  | { readonly reason: 'verifier-threw'; readonly verifier: string; readonly error: ErrorInfo }
  | { readonly reason: 'verdict-invalid'; readonly verifier: string; readonly got: string }
  /** Of what a verdict stands on. */
  | {
      readonly reason: 'verdict-value-invalid';
      readonly verifier: string;
      readonly key: 'p_value' | 'significant';
      readonly got: string;
    }
  | { readonly reason: 'artifact-missing'; readonly output: string; readonly fileName: string }
  | { readonly reason: 'artifact-written-twice'; readonly output: string; readonly step: string }
  | { readonly reason: 'artifact-undeclared'; readonly fileName: string }
  | {
      readonly reason: 'output-unknown';
      readonly output: string;
      readonly step: string;
      readonly remedy: string;
    }
  | {
      readonly reason: 'writer-threw';
      readonly output: string;
      readonly writer: string;
      readonly error: ErrorInfo;
    }
  | {
      readonly reason: 'loader-threw';
      readonly path: string;
      readonly loader: string;
      readonly error: ErrorInfo;
    }
  | { readonly reason: 'upstream-missing' | 'upstream-damaged'; readonly path: string; readonly maker: Maker }
  /** What lies in a shard's folder belongs to another condition, number of replicates, seed or set of outputs. */
  | { readonly reason: 'shard-of-another-run'; readonly path: string; readonly maker: Maker }
  /** Shards of one condition were computed with different code, packages, interpreters, parameters or inputs. */
  | {
      readonly reason: 'shards-differ';
      readonly path: string;
      readonly shards: readonly [string, string];
      readonly maker: Maker;
    }
  /** Of a replicate whose shard has told already what happened. */
  | { readonly reason: 'failed-in-shard'; readonly text: string }
  | {
      readonly reason: 'metric-invalid';
      readonly metric: string;
      readonly got: string;
      readonly step: string;
    }
  | {
      readonly reason: 'results-unwritable' | 'file-unreadable';
      readonly path: string;
      readonly error: ErrorInfo;
    }
  /** Code or inputs of the condition were written to after the digests for its key were taken. */
  | { readonly reason: 'changed-while-running'; readonly paths: readonly string[] }
  | { readonly reason: 'aborted' };

/** What happened, in one sentence or two, without the stack. */
export function describeFailure(failure: RunFailure): string {
  switch (failure.reason) {
    case 'step-threw':
      return `step ${failure.step} threw ${describeError(failure.error)}`;
    case 'datasource-threw':
      return `datasource ${failure.datasource} threw ${describeError(failure.error)}`;
    case 'module-missing':
      return `there is no ${failure.module} module in ${failure.folder}. Add ${failure.module}.ts (or .mts, .js, .mjs, .py).`;
    case 'module-threw':
      return `${failure.file} could not be loaded: ${describeError(failure.error)}`;
    case 'function-missing':
      return `${failure.file} does not export a function "${failure.name}". ${failure.remedy}`;
    case 'function-undecorated':
      return `${failure.name} of ${failure.file} is a bare function. Decorate it with ${failure.decorator} from crystallize.`;
    case 'package-missing':
      return `${failure.file} could not be loaded: ${failure.package}. Install it with "${failure.install}", or choose another interpreter with execution.python.`;
    case 'interpreter-unusable':
      return `no usable Python: ${failure.tried}. ${failure.remedy}`;
    case 'context-reserved':
      return `"${failure.key}" cannot be set by params or a treatment: the engine puts it into the context. Choose another name.`;
    case 'loader-foreign':
      return `the loader ${failure.loader} of ${failure.producer} is written in another language, ${failure.outputs} has no function of that name, and no built-in loader reads "${failure.fileName}" (.json, .txt, .md, .csv, .npy or .bin). Add ${failure.loader} to ${failure.outputs}.`;
    case 'format-missing':
      return `there is no ${failure.kind} "${failure.name}": ${failure.owner} has no outputs module, and no built-in ${failure.kind} has that name. ${failure.remedy}`;
    case 'parameter-missing':
      if (failure.withoutData)
        return `step ${failure.step} needs a value for "${failure.parameter}": it has no default. If that is what the step works on, name it "data": parameters in Python are told by their names.`;
      return `step ${failure.step} needs a value for "${failure.parameter}": it has no default. Give it in the step's arguments, in params, or in the treatment.`;
    case 'parameter-unknown':
      return `step ${failure.step} has no parameter "${failure.parameter}". ${failure.remedy}`;
    case 'parameter-type':
      return `step ${failure.step} expects ${failure.expected} for "${failure.parameter}", but got ${failure.got}.`;
    case 'timed-out':
      return `timed out after ${duration(failure.limitMs)}${failure.call === undefined ? '' : ` in ${failure.call}`}`;
    case 'load-timed-out':
      return `the modules did not finish loading within ${duration(failure.limitMs)}`;
    case 'worker-exited':
      return `the worker process ended: ${failure.how}`;
    case 'uncaught':
      return `an error that no step caught, in a timer or a promise that was not awaited, ended the worker process: ${describeError(failure.error)}`;
    case 'verifier-threw':
      return `verifier ${failure.verifier} threw ${describeError(failure.error)}`;
    case 'verdict-invalid':
      return `verifier ${failure.verifier} returned ${failure.got} instead of a mapping such as { p_value, significant }`;
    case 'verdict-value-invalid':
      return `verifier ${failure.verifier} returned ${failure.got} for "${failure.key}" instead of ${failure.key === 'p_value' ? 'a number from 0 to 1' : 'true or false'}`;
    case 'artifact-missing':
      return `the output "${failure.output}" (${failure.fileName}) is declared, but no step wrote it`;
    case 'artifact-written-twice':
      return `${caller(failure.step)} writes the output "${failure.output}" a second time; an artifact is written once`;
    case 'artifact-undeclared':
      return `the file ${failure.fileName} was written beside the artifacts, but is no file_name under outputs. Declare it, or write it elsewhere.`;
    case 'output-unknown':
      return `${caller(failure.step)} asked for the artifact "${failure.output}", which is not declared under outputs. ${failure.remedy}`;
    case 'writer-threw':
      return `the writer ${failure.writer} of the output "${failure.output}" threw ${describeError(failure.error)}`;
    case 'loader-threw':
      return `the loader ${failure.loader} threw ${describeError(failure.error)} on ${failure.path}`;
    case 'upstream-missing':
      return `${failure.path} is missing. Run ${inWords(failure.maker)}.`;
    case 'upstream-damaged':
      return `${failure.path} is not what its run wrote: it was damaged or edited. Run ${inWords(failure.maker)} again, with --skip-nx-cache.`;
    case 'shard-of-another-run':
      return `${failure.path} is of another run, with other replicates, seeds or outputs. Run ${inWords(failure.maker)} again.`;
    case 'shards-differ':
      return `the shards ${failure.shards.join(' and ')} of ${failure.path} were not run with the same code, packages, interpreter, parameters, inputs and upstream artifacts. Run ${inWords(failure.maker)} again, with --skip-nx-cache.`;
    case 'failed-in-shard':
      return failure.text;
    case 'metric-invalid':
      return `${caller(failure.step)} recorded ${failure.got} for the metric "${failure.metric}"; a metric is a number.`;
    case 'results-unwritable':
      return `${failure.path} could not be written: ${failure.error.message}`;
    case 'file-unreadable':
      return `${failure.path} could not be read: ${failure.error.message}`;
    case 'changed-while-running':
      return `${someOf(failure.paths)} changed while it ran: its results could be of either version. Run it again: what had finished before is kept. What its own steps write cannot be its input.`;
    case 'aborted':
      return 'stopped';
    default:
      return assertNever(failure);
  }
}

/** The stack of the user's code behind a failure; empty when there is none. */
export function stackOf(failure: RunFailure): string {
  return 'error' in failure ? failure.error.stack : '';
}

function someOf(paths: readonly string[]): string {
  const [first, ...others] = paths;
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`;
}

function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`;
}

/** Under Nx, the target that runs it and its project may have other names. */
function inWords({ experiment, condition, shard }: Maker): string {
  return `${shard === undefined ? '' : `the shard ${shard} of `}the condition "${condition}" of "${experiment}"`;
}

/** Datasources run before the first step. */
function caller(step: string): string {
  return step === '' ? 'a datasource' : `step ${step}`;
}

function describeError(error: ErrorInfo): string {
  return error.message === '' ? error.name : `${error.name}: ${error.message}`;
}

/** A failure that our own code raises inside a replicate, where the user's code may be on the stack. */
export class ReplicateError extends Error {
  override readonly name = 'ReplicateError';
  constructor(
    readonly failure: RunFailure,
    options?: ErrorOptions,
  ) {
    super(describeFailure(failure), options);
  }
}
