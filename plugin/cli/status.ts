import type { Command } from './command.ts';
import { toJson } from './command.ts';
import { renderProgress } from './submission-text.ts';
import { observeOnce, openSubmission } from './submissions.ts';

/** `nx-experiments status`: how far a submission is. */
export const run: Command['run'] = async ({ cwd, names, json }, print) => {
  const { folder, submission, progress } = await observeOnce(await openSubmission('status', cwd, names));
  const { id, engine, experiments } = submission;
  if (json) print(toJson({ submission: id, engine, experiments, conditions: progress }));
  else print(renderProgress(folder, submission, progress));
  return 0;
};
