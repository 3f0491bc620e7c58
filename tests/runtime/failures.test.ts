import { expect, test } from 'vitest';
import { describeFailure, ReplicateError, type RunFailure, stackOf } from '../../plugin/runtime/failures.ts';

const error = { name: 'TypeError', message: 'x is not a function', stack: 'steps.ts:3:9\nsteps.ts:8:1' };

const FAILURES: readonly RunFailure[] = [
  { reason: 'step-threw', step: 'train', error },
  { reason: 'datasource-threw', datasource: 'raw', error: { ...error, message: '' } },
  { reason: 'module-missing', module: 'steps', folder: 'experiments/lab' },
  { reason: 'module-threw', file: 'experiments/lab/steps.ts', error },
  {
    reason: 'function-missing',
    name: 'trian',
    file: 'experiments/lab/steps.ts',
    remedy: 'Did you mean "train"?',
  },
  { reason: 'parameter-missing', parameter: 'rate', step: 'train' },
  { reason: 'parameter-unknown', parameter: 'rates', step: 'train', remedy: 'Did you mean "rate"?' },
  { reason: 'parameter-type', parameter: 'rate', step: 'train', expected: 'a number', got: 'string' },
  { reason: 'timed-out', limitMs: 600_000 },
  { reason: 'timed-out', limitMs: 1500, call: 'step train' },
  { reason: 'worker-exited', how: 'signal SIGKILL' },
  { reason: 'artifact-missing', output: 'report', fileName: 'report.json' },
  { reason: 'artifact-written-twice', output: 'report', step: 'train' },
  { reason: 'output-unknown', output: 'reprot', step: 'train', remedy: 'Did you mean "report"?' },
  { reason: 'artifact-undeclared', fileName: 'stray.txt' },
  { reason: 'writer-threw', output: 'report', writer: 'dump_json', error },
  { reason: 'loader-threw', path: 'experiments/a/results/baseline/x.json', loader: 'load_json', error },
  {
    reason: 'upstream-missing',
    path: 'experiments/a/results/baseline/x.json',
    maker: { experiment: 'a', condition: 'baseline' },
  },
  { reason: 'metric-invalid', metric: 'loss', got: 'undefined', step: 'train' },
  { reason: 'results-unwritable', path: 'experiments/lab/results', error },
  { reason: 'aborted' },
];

test('each failure is told in a sentence', () => {
  expect(FAILURES.map(describeFailure).join('\n')).toMatchInlineSnapshot(`
    "step train threw TypeError: x is not a function
    datasource raw threw TypeError
    there is no steps module in experiments/lab. Add steps.ts (or .mts, .js, .mjs, .py).
    experiments/lab/steps.ts could not be loaded: TypeError: x is not a function
    experiments/lab/steps.ts does not export a function "trian". Did you mean "train"?
    step train needs a value for "rate": it has no default. Give it in the step's arguments, in params, or in the treatment.
    step train has no parameter "rates". Did you mean "rate"?
    step train expects a number for "rate", but got string.
    timed out after 600 s
    timed out after 1500 ms in step train
    the worker process ended: signal SIGKILL
    the output "report" (report.json) is declared, but no step wrote it
    step train writes the output "report" a second time; an artifact is written once
    step train asked for the artifact "reprot", which is not declared under outputs. Did you mean "report"?
    the file stray.txt was written beside the artifacts, but is no file_name under outputs. Declare it, or write it elsewhere.
    the writer dump_json of the output "report" threw TypeError: x is not a function
    the loader load_json threw TypeError: x is not a function on experiments/a/results/baseline/x.json
    experiments/a/results/baseline/x.json is missing. Run the condition "baseline" of "a".
    step train recorded undefined for the metric "loss"; a metric is a number.
    experiments/lab/results could not be written: x is not a function
    stopped"
  `);
});

test('the stack is that of the code of the user, where there is one', () => {
  expect(FAILURES.map(stackOf).filter((stack) => stack !== '')).toHaveLength(6);
});

test('an error inside a replicate carries its failure', () => {
  const thrown = new ReplicateError({ reason: 'aborted' });
  expect([thrown.name, thrown.message, thrown.failure]).toEqual([
    'ReplicateError',
    'stopped',
    { reason: 'aborted' },
  ]);
});
