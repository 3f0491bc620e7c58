import { createEngine } from './create-engine.ts';
import { isActive, observe } from './progress.ts';
import type { Submission } from './submission.ts';
import { SubmissionFolder, submissionIds } from './submissions-folder.ts';

/** Enough to look at what came before. */
const KEPT = 20;

/**
 * Removes what is kept of submissions before the last ones. One that may still run stays, and one that is damaged: a person has
 * to look at it. For who holds the lock.
 */
export async function removeOldSubmissions(root: string): Promise<void> {
  for (const id of submissionIds(root).slice(0, -KEPT)) {
    const folder = new SubmissionFolder(root, id);
    try {
      const submission = await folder.read();
      if (!(await hasEnded(folder, submission))) continue;
      await createEngine(submission.engine, root).forget(submission.conditions.flatMap(({ jobs }) => jobs));
      await folder.remove();
    } catch {
      // It is damaged, or its engine does not answer. What was submitted now is no worse for it.
    }
  }
}

/** The engine is asked only when jobs have left nothing. */
async function hasEnded(folder: SubmissionFolder, submission: Submission): Promise<boolean> {
  for (const engine of [undefined, createEngine(submission.engine, folder.root)]) {
    const progress = await observe(folder, submission, engine);
    if (!progress.some(({ elements }) => elements.some(({ state }) => isActive(state)))) return true;
  }
  return false;
}
