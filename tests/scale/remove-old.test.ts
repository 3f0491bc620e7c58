import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identityOf } from '../../plugin/build/scale/process-identity.js';
import { removeOldSubmissions } from '../../plugin/build/scale/remove-old.js';
import type { EngineName, Submission } from '../../plugin/build/scale/submission.js';
import {
  createSubmission,
  type SubmissionFolder,
  submissionIds,
} from '../../plugin/build/scale/submissions-folder.js';
import { Lab } from '../support/engine.ts';

const REF = { experiment: 'maker', condition: 'warm' };
const LOCAL = '.nx/experiments/local';

/** A submission of one job, which has the number of the submission. */
async function submitted(lab: Lab, engine: EngineName = 'local'): Promise<SubmissionFolder> {
  const condition = { ...REF, replicates: 1, seed: 0, key: '', components: {}, shards: 1, jobs: [] };
  const resources = { cpus: 1, extra: [] };
  const head = { engine, experiments: ['maker'], choices: {}, resources, store: '', conditions: [condition] };
  const folder = await createSubmission(lab.root, head as unknown as Submission);
  folder.prepare(REF);
  const job = { id: `${Number(folder.id)}`, name: `job-${folder.id}`, elements: undefined, after: [] };
  await folder.addJob(REF, job);
  if (engine === 'local') lab.write({ [`${LOCAL}/${job.id}/job.json`]: job });
  return folder;
}

test('old submissions are removed when they have ended, with what the engine keeps of them', async () => {
  using lab = new Lab();
  const outcome = { status: 'succeeded', problems: [] };
  await (await submitted(lab)).writeOutcome(REF, 'whole', outcome);
  await submitted(lab); // it runs
  lab.write({ [`${LOCAL}/2/state.json`]: { ...identityOf(process.pid), elements: { whole: 'running' } } });
  await submitted(lab); // its process is gone, and left nothing
  await submitted(lab); // it is damaged
  lab.write({ '.nx/experiments/submissions/0004/submission.json': '{' });
  // There is no Slurm to be asked, and none has to be.
  await (await submitted(lab, 'slurm')).writeOutcome(REF, 'whole', outcome);
  await submitted(lab, 'slurm');
  for (let i = 7; i <= 26; i++) await (await submitted(lab)).writeOutcome(REF, 'whole', outcome);
  const { PATH } = process.env;
  try {
    process.env.PATH = lab.root;
    await removeOldSubmissions(lab.root);
  } finally {
    process.env.PATH = PATH;
  }
  const kept = Array.from({ length: 20 }, (_, i) => `${i + 7}`.padStart(4, '0'));
  expect(submissionIds(lab.root)).toEqual(['0002', '0004', '0006', ...kept]);
  const jobs = [1, 2, 3, 4, 7].filter((id) => existsSync(join(lab.root, LOCAL, `${id}`)));
  expect(jobs).toEqual([2, 4, 7]);
});
