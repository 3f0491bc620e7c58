import { createEngine } from '../scale/create-engine.ts';
import { isActive } from '../scale/progress.ts';
import { type Command, toJson } from './command.ts';
import { observeSubmission, openSubmission, tellSilence } from './submissions.ts';

/** `nx-experiments cancel`: ends the jobs of a submission. */
export const run: Command['run'] = async ({ cwd, names, json }, print) => {
  const opened = await openSubmission('cancel', cwd, names);
  const { submission } = opened;
  const engine = createEngine(submission.engine, opened.folder.root);
  const observed = await observeSubmission(opened);
  tellSilence(observed);
  const { progress } = observed;
  const active = new Set(
    progress.flatMap(({ elements }) => elements.filter(({ state }) => isActive(state)).map(({ job }) => job)),
  );
  const jobs = submission.conditions
    .flatMap((condition) => condition.jobs)
    .filter(({ id }) => active.has(id));
  await engine.cancel(jobs);
  const ids = jobs.map(({ id }) => id);
  if (json) print(toJson({ submission: submission.id, cancelled: ids }));
  else if (ids.length === 0) print(`Submission ${submission.id} has ended: there is nothing to cancel.\n`);
  else
    print(
      `Cancelled ${ids.length} job${ids.length === 1 ? '' : 's'} of submission ${submission.id}. What has finished is kept.\n`,
    );
  return 0;
};
