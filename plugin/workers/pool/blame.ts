import type { RunFailure } from '../../runtime/failures.ts';
import type { Chunk } from './chunk.ts';
import type { Slot } from './slot.ts';

/** A worker is gone: the replicate that took it down fails, the others of its chunk run again elsewhere. */
export function blame(slot: Slot, chunk: Chunk, failure: RunFailure): void {
  const { active, pending, started, calls, bound } = chunk;
  if (active.stopped) return;
  const unanswered = [...pending.values()];
  if (slot.retiring && slot.fault === undefined) {
    // It was stopped for the sake of another condition.
    active.putBackBegun(unanswered);
    return;
  }
  if (!bound) {
    // No replicate is to blame. A worker that ran others before may have died of those; a new one died of the modules.
    if (slot.proven) active.putBack(unanswered);
    else if (unanswered.length > 0) active.giveUp(failure);
    return;
  }
  const suspects = started.size > 0 ? unanswered.filter((job) => started.has(job.replicate)) : unanswered;
  const others = unanswered.filter((job) => !suspects.includes(job));
  active.putBackBegun(others);
  const [guilty] = suspects;
  if (suspects.length === 1 && guilty !== undefined)
    active.fail(guilty, failedIn(failure, calls.get(guilty.replicate)));
  else for (const job of suspects.reverse()) active.isolate(job);
}

/** Its time may have run out while the worker was busy with another replicate: where it was is told by itself. */
function failedIn(failure: RunFailure, call: string | undefined): RunFailure {
  return failure.reason === 'timed-out' && call !== undefined ? { ...failure, call } : failure;
}
