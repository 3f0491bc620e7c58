import { SettingsError } from '../base/settings-error.ts';
import { createEngine } from '../scale/create-engine.ts';
import { type ConditionProgress, observe } from '../scale/progress.ts';
import type { Submission } from '../scale/submission.ts';
import { findSubmission, type SubmissionFolder } from '../scale/submissions-folder.ts';
import { openWorkspace } from './workspace.ts';

export interface Observed {
  readonly folder: SubmissionFolder;
  readonly submission: Submission;
  readonly progress: readonly ConditionProgress[];
}

/**
 * The submission that a command names, or the last one.
 *
 * @throws SettingsError when there is none, or it is damaged
 */
export async function openSubmission(
  command: string,
  cwd: string,
  [id, ...more]: readonly string[],
): Promise<Omit<Observed, 'progress'>> {
  if (more.length > 0) throw new SettingsError(`"${command}" takes one submission, such as 0001.`);
  const folder = findSubmission(openWorkspace(cwd).root, id);
  return { folder, submission: await folder.read() };
}

/** How far it is. An engine that does not answer is told of, and what is known without it is given. */
export async function observeSubmission({
  folder,
  submission,
}: Omit<Observed, 'progress'>): Promise<Observed> {
  try {
    const progress = await observe(folder, submission, createEngine(submission.engine, folder.root));
    return { folder, submission, progress };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return { folder, submission, progress: await observe(folder, submission, undefined) };
  }
}
