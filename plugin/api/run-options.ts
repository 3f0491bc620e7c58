import type { RunEvent } from '../runtime/events.ts';

/** How a graph is run. */
export interface GraphRunOptions {
  /** Treatments to run beside the baseline, by name. Default: all. */
  readonly treatments?: readonly string[];
  /** Another number of replicates for every experiment; 1 is the quick run. */
  readonly replicates?: number;
  /** Another root seed for every experiment. */
  readonly seed?: number;
  /** Most worker processes. Default: one for each core. */
  readonly workers?: number;
  /** `resume` (the default) takes finished replicates from the run store; `rerun` runs every one again. */
  readonly strategy?: 'resume' | 'rerun';
  /** Folder of the run store, absolute or relative to the root; false for none. Default: as Nx would have it. */
  readonly store?: string | false;
  /** Stop everything at the first replicate that fails. Default: false. */
  readonly failFast?: boolean;
  /** Stops the run; what has finished is kept, and the results say `aborted`. */
  readonly signal?: AbortSignal;
  /** Hears of everything that happens while it runs. What it throws stops the run, which rejects with it. */
  readonly onEvent?: (event: RunEvent) => void;
}
