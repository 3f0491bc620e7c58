import { SettingsError } from '../base/settings-error.ts';
import { conditionId } from '../runtime/plan.ts';
import { createEngine } from '../scale/create-engine.ts';
import { SilentEngineError } from '../scale/engine.ts';
import { type ConditionProgress, observe } from '../scale/progress.ts';
import type { Submission } from '../scale/submission.ts';
import { findSubmission, SubmissionFolder, submissionIds } from '../scale/submissions-folder.ts';
import { openWorkspace } from './workspace.ts';

/** What an engine that does not answer says. */
export interface Silence {
  readonly message: string;
  /** It may answer when it is asked again. */
  readonly passes: boolean;
}

export interface Observed {
  readonly folder: SubmissionFolder;
  readonly submission: Submission;
  readonly progress: readonly ConditionProgress[];
  /** Why the engine was not heard; undefined when it was. */
  readonly silence?: Silence;
}

export type Opened = Pick<Observed, 'folder' | 'submission'>;

/**
 * The submission that a command names, or the last one.
 *
 * @throws SettingsError when there is none, or it is damaged
 */
export async function openSubmission(
  command: string,
  cwd: string,
  [id, ...more]: readonly string[],
): Promise<Opened> {
  if (more.length > 0) throw new SettingsError(`"${command}" takes one submission, such as 0001.`);
  const folder = findSubmission(openWorkspace(cwd).root, id);
  return { folder, submission: await folder.read() };
}

/** How far it is. When the engine does not answer, what is known without it. */
export async function observeSubmission({ folder, submission }: Opened): Promise<Observed> {
  try {
    const progress = await observe(folder, submission, createEngine(submission.engine, folder.root));
    return { folder, submission, progress };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const silence = { message: error.message, passes: error instanceof SilentEngineError };
    return { folder, submission, progress: await observe(folder, submission, undefined), silence };
  }
}

/** The same, and then how far the conditions are that it left to earlier submissions; one of those that is gone is left out. */
export async function observeWithEarlier(opened: Opened): Promise<[Observed, ...Observed[]]> {
  const { root } = opened.folder;
  const left = opened.submission.earlier ?? [];
  const all: [Observed, ...Observed[]] = [await observeSubmission(opened)];
  for (const id of submissionIds(root)) {
    const wanted = new Set(left.filter(({ submission }) => submission === id).map(conditionId));
    if (wanted.size === 0) continue;
    const folder = new SubmissionFolder(root, id);
    const observed = await observeSubmission({ folder, submission: await folder.read() });
    const progress = observed.progress.filter((condition) => wanted.has(conditionId(condition)));
    all.push({ ...observed, progress });
  }
  return all;
}

/** For a command that looks once: that the engine does not answer is told. */
export function tellSilence({ silence }: Observed): void {
  if (silence !== undefined) process.stderr.write(`${silence.message}\n`);
}
