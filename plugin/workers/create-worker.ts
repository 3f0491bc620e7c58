import type { FunctionLoader } from './function-loader.ts';
import { InlineWorker } from './inline-worker.ts';
import { NodeWorker } from './node-worker.ts';
import type { CreateWorker } from './protocol.ts';
import { PythonWorker } from './python-worker.ts';
import { ThreadWorker } from './thread-worker.ts';

/**
 * Makes the worker that a job asks for.
 *
 * @param inline finds the functions of this process; needed where experiments are defined in code
 * @param onThrown hears of what functions of this process throw, as it was
 */
export function workersOf(inline?: FunctionLoader, onThrown?: (thrown: unknown) => void): CreateWorker {
  return (listener, spec) => {
    if (spec.type === 'node') return new NodeWorker(listener);
    if (spec.type === 'thread') return new ThreadWorker(listener);
    if (spec.type === 'python') return new PythonWorker(listener, spec.command);
    if (inline === undefined) throw new Error('Bug: nothing is defined in this process');
    return new InlineWorker(listener, inline, onThrown);
  };
}
