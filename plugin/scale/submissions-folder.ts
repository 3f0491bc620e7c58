import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { growingName } from '../io/writing/growing.ts';
import { makeFolder } from '../io/writing/make-folder.ts';
import { type ConditionRef, conditionId } from '../runtime/plan.ts';
import {
  encodeJob,
  encodeSubmission,
  parseSubmission,
  type Submission,
  type SubmittedJob,
} from './submission.ts';

const SUBMISSIONS = '.nx/experiments/submissions';

const HEAD = 'submission.json';
/** A line for each job that was handed over. */
const JOBS = 'jobs.jsonl';

/** Read from the end of a log: enough for its last lines. */
const TAIL_BYTES = 8192;

/** Where one submission is kept: scripts, logs, what elements came to. Paths are absolute. */
export class SubmissionFolder {
  constructor(
    readonly root: string,
    readonly id: string,
  ) {}

  get path(): string {
    return join(this.root, SUBMISSIONS, this.id);
  }

  /** Relative to the root, to be shown. */
  logOf(ref: ConditionRef, element: string): string {
    return `${SUBMISSIONS}/${this.id}/logs/${conditionId(ref)}/${element}.log`;
  }

  logs(ref: ConditionRef): string {
    return join(this.path, 'logs', conditionId(ref));
  }

  scripts(ref: ConditionRef): string {
    return join(this.path, 'scripts', conditionId(ref));
  }

  /** Makes the folders of a condition. Nothing else does: what is still ending brings no submission back. */
  prepare(ref: ConditionRef): void {
    for (const folder of [this.logs(ref), this.scripts(ref), this.outcomes(ref)]) makeFolder(folder);
  }

  async addJob(ref: ConditionRef, job: SubmittedJob): Promise<void> {
    await appendFile(join(this.path, JOBS), encodeJob(ref, job));
  }

  /** @throws SettingsError when it is damaged */
  async read(): Promise<Submission> {
    const path = join(this.path, HEAD);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    const jobs = await readFile(join(this.path, JOBS), 'utf8').catch(() => '');
    const submission = text === undefined ? undefined : parseSubmission(text, jobs);
    if (submission?.id === this.id) return submission;
    throw new SettingsError(
      `${path} ${text === undefined ? 'is missing' : `or ${JOBS} beside it is damaged`}. Cancel its jobs by the engine's own command, remove ${this.path}, and submit again: what has finished is in the run store.`,
    );
  }

  /** Keeps what an element came to; undefined when it begins. Writes nothing when the submission is gone. */
  async writeOutcome<T extends object>(
    ref: ConditionRef,
    element: string,
    outcome: T | undefined,
  ): Promise<void> {
    const path = this.outcomePath(ref, element);
    if (outcome === undefined) await rm(path, { force: true });
    else await replaceFile(path, `${JSON.stringify(outcome)}\n`).catch(unlessGone);
  }

  async readOutcome(ref: ConditionRef, element: string): Promise<unknown> {
    return readJson(this.outcomePath(ref, element));
  }

  /** What engines have told of jobs that ended: they forget. */
  async writeSeen(seen: object): Promise<void> {
    await replaceFile(join(this.path, 'seen.json'), `${JSON.stringify(seen)}\n`);
  }

  async readSeen(): Promise<unknown> {
    return readJson(join(this.path, 'seen.json'));
  }

  /** Gone at once for everyone, however long removing it takes. */
  async remove(): Promise<void> {
    const doomed = join(this.root, SUBMISSIONS, `.gone-${randomUUID()}`);
    await rename(this.path, doomed);
    await rm(doomed, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The last lines of an element's log. */
  async tail(ref: ConditionRef, element: string, lines: number): Promise<string[]> {
    const file = await open(join(this.logs(ref), `${element}.log`)).catch(() => undefined);
    if (file === undefined) return [];
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - TAIL_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, from);
      const all = buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n');
      return (from > 0 ? all.slice(1) : all).filter((line) => line.trim() !== '').slice(-lines);
    } finally {
      await file.close();
    }
  }

  private outcomes(ref: ConditionRef): string {
    return join(this.path, 'outcomes', conditionId(ref));
  }

  private outcomePath(ref: ConditionRef, element: string): string {
    return join(this.outcomes(ref), `${element}.json`);
  }
}

/** Ids of all submissions of a workspace, oldest first. A folder without a head is none. */
export function submissionIds(root: string): string[] {
  const all = join(root, SUBMISSIONS);
  return numbersIn(all).filter((id) => existsSync(join(all, id, HEAD)));
}

function numbersIn(all: string): string[] {
  const names = existsSync(all) ? readdirSync(all) : [];
  return names.filter((name) => /^\d{4,}$/.test(name)).sort((a, b) => Number(a) - Number(b));
}

/** Where all submissions are kept, made when it is not there. */
export function submissionsFolder(root: string): string {
  const all = join(root, SUBMISSIONS);
  if (makeFolder(all)) writeFileSync(join(all, '.gitignore'), '*\n');
  return all;
}

/** A new folder with the next number, its head in it from the first moment: two that submit at once get two. */
export async function createSubmission(
  root: string,
  submission: Omit<Submission, 'id'>,
): Promise<SubmissionFolder> {
  const all = submissionsFolder(root);
  const growing = join(all, `.new-${randomUUID()}`);
  await mkdir(growing);
  for (let next = Number(numbersIn(all).at(-1) ?? 0) + 1; ; next++) {
    const folder = new SubmissionFolder(root, String(next).padStart(4, '0'));
    await writeFile(join(growing, HEAD), encodeSubmission({ ...submission, id: folder.id }));
    try {
      await rename(growing, folder.path);
      return folder;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (['EEXIST', 'ENOTEMPTY'].includes(code) || existsSync(folder.path)) continue;
      await rm(growing, { recursive: true, force: true });
      throw error;
    }
  }
}

/** The submission of that id, or the last one. @throws SettingsError when there is none */
export function findSubmission(root: string, id: string | undefined): SubmissionFolder {
  const ids = submissionIds(root);
  const found = id === undefined ? ids.at(-1) : ids.find((known) => Number(known) === Number(id));
  if (found !== undefined) return new SubmissionFolder(root, found);
  const none = 'Nothing has been submitted from this workspace. See nx-experiments submit --help.';
  if (id === undefined || ids.length === 0) throw new SettingsError(none);
  throw new SettingsError(`There is no submission "${id}". ${suggestion(id, ids, 'submissions')}`);
}

/** A reader sees the old text or the new one. Nothing is written where there is no folder any more. */
async function replaceFile(path: string, text: string): Promise<void> {
  const growing = join(dirname(path), growingName(basename(path)));
  await writeFile(growing, text);
  await rename(growing, path);
}

function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined; // it was not written, or a disk was full: it only words reasons
  }
}
