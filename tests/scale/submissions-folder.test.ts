import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Submission } from '../../plugin/build/scale/submission.js';
import {
  createSubmission,
  SubmissionFolder,
  submissionIds,
  submissionsFolder,
} from '../../plugin/build/scale/submissions-folder.js';
import { Lab } from '../support/engine.ts';

const REF = { experiment: 'maker', condition: 'warm' };

const HEAD: Omit<Submission, 'id'> = {
  engine: 'local',
  experiments: ['maker'],
  choices: {},
  resources: { cpus: 1, extra: [] },
  store: '/store',
  conditions: [],
};

test('an element that ends after its submission was removed does not bring it back', async () => {
  using lab = new Lab();
  const all = submissionsFolder(lab.root);
  const folder = await createSubmission(lab.root, HEAD);
  folder.prepare(REF);
  const late = new SubmissionFolder(lab.root, folder.id);
  await late.writeOutcome(REF, '1', { status: 'stopped' });
  expect(await late.readOutcome(REF, '1')).toEqual({ status: 'stopped' });
  await folder.remove();
  await late.writeOutcome(REF, '2', { status: 'stopped' });
  await late.writeOutcome(REF, '2', undefined);
  await late.writeSeen([]).catch(() => {});
  expect(readdirSync(all)).toEqual(['.gitignore']);
});

test('those that begin at once get numbers of their own, and are never seen without a head', async () => {
  using lab = new Lab();
  const all = submissionsFolder(lab.root);
  mkdirSync(join(all, '0003/logs'), { recursive: true });
  const making = Array.from({ length: 20 }, () => createSubmission(lab.root, HEAD));
  const seen = setInterval(() => {
    for (const id of readdirSync(all).filter((name) => /^\d/.test(name) && name !== '0003'))
      expect(existsSync(join(all, id, 'submission.json'))).toBe(true);
  }, 1);
  const folders = await Promise.all(making);
  clearInterval(seen);
  const ids = folders.map(({ id }) => id).sort();
  expect(ids).toEqual(Array.from({ length: 20 }, (_, i) => `${i + 4}`.padStart(4, '0')));
  expect(submissionIds(lab.root)).toEqual(ids);
  for (const folder of folders) expect(await folder.read()).toEqual({ ...HEAD, id: folder.id });
});

test('a head of earlier, without the number of elements, is read', async () => {
  using lab = new Lab();
  submissionsFolder(lab.root);
  const folder = await createSubmission(lab.root, { ...HEAD, shards: 7 });
  expect((await folder.read()).shards).toBe(7);
  lab.write({
    '.nx/experiments/submissions/0001/submission.json': { version: 1, id: '0001', ...HEAD },
  });
  expect((await folder.read()).shards).toBe(undefined);
});
