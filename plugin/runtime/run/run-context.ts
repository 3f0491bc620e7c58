import { join } from 'node:path';
import { LookingTime } from '../../io/changes/change-watch.ts';
import { stateOf } from '../../io/changes/file-states.ts';
import { Fingerprints } from '../../io/code/fingerprint.ts';
import { digestRead } from '../../io/digest-file.ts';
import { refusePlugNPlay } from '../../io/plug-n-play.ts';
import type { Interpreters } from '../../io/python/interpreter.ts';
import { RunOrigin } from '../../io/run-origin.ts';
import type { RunStore } from '../../store/store.ts';
import type { WorkerPool } from '../../workers/pool/worker-pool.ts';
import { DiscoveredReads } from '../discovered-reads.ts';
import type { RunEvent } from '../events.ts';
import { Warnings } from '../warnings.ts';
import { StoreTrouble } from './reuse.ts';
import { UnnoticedFiles } from './unnoticed-files.ts';
import { UpstreamArtifacts } from './upstream.ts';

export interface RunOptions {
  /** Absolute path that the folders of the plan are relative to. */
  readonly root: string;
  /** The root whose installed packages are used. Default: the same. */
  readonly installedAt?: string | undefined;
  readonly pool: WorkerPool;
  /** Most worker processes of one condition when its experiment does not say. */
  readonly workers: number;
  /** The Pythons of the workspace. */
  readonly interpreters: Interpreters;
  readonly signal: AbortSignal;
  /** Stop everything at the first replicate that fails for good. */
  readonly failFast: boolean;
  /** Where finished replicates are kept; undefined: nothing is reused or kept. */
  readonly store: RunStore | undefined;
  /** `rerun` runs every replicate again, and keeps the new results. */
  readonly strategy: 'resume' | 'rerun';
  /**
   * Code and inputs are those of when the run began, also for a condition that waits: what was written to since then fails it.
   * Nx keeps results under what it saw before the run.
   */
  readonly asItBegan?: boolean;
  /** Run everything in this process that it can run. */
  readonly inline?: boolean;
  readonly onEvent: (event: RunEvent) => void;
}

/** What the conditions of one run have in common. */
export interface RunContext extends RunOptions {
  readonly upstream: UpstreamArtifacts;
  readonly fingerprints: Fingerprints;
  readonly storeTrouble: StoreTrouble;
  readonly reads: DiscoveredReads;
  readonly looking: LookingTime;
  readonly unnoticed: UnnoticedFiles;
  readonly warnings: Warnings;
  readonly origin: RunOrigin;
}

/** @param signal that of the options, or another one that aborts with it */
export function createRunContext(options: RunOptions, signal: AbortSignal): RunContext {
  refusePlugNPlay();
  const { root, interpreters } = options;
  const fingerprints = new Fingerprints(root, interpreters, options.installedAt);
  return {
    ...options,
    signal,
    upstream: new UpstreamArtifacts(root, options.store),
    fingerprints,
    origin: new RunOrigin(root, interpreters, fingerprints.finder),
    reads: new DiscoveredReads({
      digestOf: (path) => digestRead(join(root, path)),
      stateOf: (path) => stateOf(join(root, path)),
    }),
    looking: new LookingTime(),
    unnoticed: new UnnoticedFiles(root),
    warnings: new Warnings(options.onEvent),
    storeTrouble: new StoreTrouble((planned, why) =>
      options.onEvent({
        type: 'warning',
        planned,
        text: `finished replicates are no longer kept in the run store, and would run again: ${why}`,
      }),
    ),
  };
}
