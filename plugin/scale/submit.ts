import { packageFile } from '../base/package-files.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionId } from '../runtime/plan.ts';
import { conditionKey, type KeyComponents } from '../store/components.ts';
import type { Division } from './divide.ts';
import { type Engine, type Job, type Resources, UncertainJobError } from './engine.ts';
import type { Submission, SubmittedCondition, SubmittedJob } from './submission.ts';
import { createSubmission, type SubmissionFolder } from './submissions-folder.ts';

const BIN = packageFile('bin/nx-experiments.js');

/** What is to be submitted of one condition. */
export interface Part extends Division {
  readonly components: KeyComponents;
}

/**
 * Hands conditions to an engine, upstream before downstream. Each job is written down as it is handed over; when one is
 * refused, those before it are taken back. When that fails as well, their submission is kept, to be cancelled later.
 *
 * @param running the last job of conditions that an earlier submission runs, by the condition's id
 * @throws SettingsError when a job is refused, or the signal has come
 */
export async function submitParts(
  parts: readonly Part[],
  running: ReadonlyMap<string, string>,
  to: { readonly engine: Engine; readonly root: string; readonly signal: AbortSignal },
  head: Omit<Submission, 'id' | 'conditions'>,
): Promise<Submission> {
  const { engine, root, signal } = to;
  // Jobs that begin at once find their submission.
  const folder = await createSubmission(root, {
    ...head,
    conditions: parts.map((part) => conditionOf(part, [])),
  });
  const last = new Map(running);
  const all: SubmittedJob[] = [];
  const conditions: SubmittedCondition[] = [];
  try {
    for (const part of parts) {
      const { planned } = part;
      const jobs: SubmittedJob[] = [];
      folder.prepare(planned);
      for (const job of jobsOf(part, last, folder, head.resources)) {
        if (signal.aborted) throw new SettingsError('Stopped. What was submitted is taken back.');
        // The job that puts the parts together waits for them.
        const after = jobs.length > 0 ? jobs.map(({ id }) => id) : job.after;
        const done = {
          id: await engine.submit({ ...job, after }),
          name: job.name,
          elements: job.elements,
          after,
        };
        all.push(done);
        jobs.push(done);
        await folder.addJob(planned, done);
        last.set(planned.id, done.id);
      }
      conditions.push(conditionOf(part, jobs));
    }
    return { ...head, id: folder.id, conditions };
  } catch (error) {
    await takeBack(engine, folder, all, error as Error);
    throw error;
  }
}

/** @throws SettingsError when jobs may be left; it tells of the first problem as well */
async function takeBack(
  engine: Engine,
  folder: SubmissionFolder,
  jobs: readonly SubmittedJob[],
  problem: Error,
): Promise<void> {
  try {
    await engine.cancel(jobs);
  } catch (error) {
    throw new SettingsError(
      `${problem.message}\nWhat was submitted could not be taken back (${(error as Error).message}). Jobs may still be there. When the engine answers again: nx-experiments cancel ${folder.id}`,
      { cause: problem },
    );
  }
  // A job that may be there must never find another submission under this number.
  if (problem instanceof UncertainJobError) return;
  await folder.remove().catch(() => {}); // what is left is in nobody's way, and hides no problem
}

/** The jobs of a condition in their order; the second waits for the first as well, which has no id yet. */
export function jobsOf(
  { planned, elements }: Part,
  last: ReadonlyMap<string, string>,
  folder: SubmissionFolder,
  resources: Resources,
): Job[] {
  const { experiment, condition, waitsFor } = planned;
  const id = conditionId({ experiment, condition });
  const job = {
    name: `nx-experiments-${folder.id}-${experiment}.${condition}`,
    command: [process.execPath, BIN, '__element', folder.root, folder.id, id],
    after: waitsFor.flatMap((upstream) => last.get(upstream) ?? []),
    logs: folder.logs(planned),
    resources,
  };
  const scripts = folder.scripts(planned);
  const whole: Job = { ...job, elements: undefined, files: `${scripts}/whole` };
  return elements.length === 0 ? [whole] : [{ ...job, elements, files: `${scripts}/elements` }, whole];
}

function conditionOf(
  { planned, components, shards }: Part,
  jobs: readonly SubmittedJob[],
): SubmittedCondition {
  const { experiment, condition, replicates, seed } = planned;
  const key = conditionKey(components);
  return { experiment, condition, replicates, seed, key, components, shards, jobs };
}
