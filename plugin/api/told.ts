import type { RunEvent } from '../runtime/events.ts';
import type { GraphRunOptions } from './run-options.ts';

/**
 * The program that hears of a run. Events come out of timers and messages of workers, where nobody would catch what it
 * throws: the first such error stops the run, and is thrown where the program waits for it.
 */
export class Told {
  private readonly stop = new AbortController();
  private thrown: { readonly error: unknown } | undefined;

  constructor(private readonly options: Pick<GraphRunOptions, 'onEvent' | 'signal'>) {}

  /** Stops the run. */
  get signal(): AbortSignal {
    const { signal } = this.options;
    return signal === undefined ? this.stop.signal : AbortSignal.any([signal, this.stop.signal]);
  }

  of(event: RunEvent): void {
    if (this.thrown !== undefined) return;
    try {
      this.options.onEvent?.(event);
    } catch (error) {
      this.thrown = { error };
      this.stop.abort();
    }
  }

  /** @throws what the program threw */
  check(): void {
    if (this.thrown !== undefined) throw this.thrown.error;
  }
}
