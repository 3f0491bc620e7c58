import type { Command } from './command.ts';
import { toJson } from './command.ts';
import { renderProgress } from './submission-text.ts';
import { observeWithEarlier, openSubmission, tellSilence } from './submissions.ts';

/** `nx-experiments status`: how far a submission is. */
export const run: Command['run'] = async ({ cwd, names, json }, print) => {
  const all = await observeWithEarlier(await openSubmission('status', cwd, names));
  const [own, ...others] = all;
  tellSilence(own);
  const { id, engine, experiments } = own.submission;
  const earlier = others.flatMap(({ submission, progress }) =>
    progress.map((condition) => ({ submission: submission.id, ...condition })),
  );
  if (json) print(toJson({ submission: id, engine, experiments, conditions: own.progress, earlier }));
  else print(renderProgress(all));
  return 0;
};
