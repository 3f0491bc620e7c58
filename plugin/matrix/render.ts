import { SettingsError } from '../base/settings-error.ts';
import { commandsOf } from './commands.ts';
import type { MatrixJob } from './tasks.ts';

export const MATRIX_FORMATS = ['github', 'gitlab', 'json'] as const;
export type MatrixFormat = (typeof MATRIX_FORMATS)[number];

/** Templates of the jobs that `gitlab` extends; the generator `ci` writes them. */
export const GITLAB_JOBS = '.gitlab/experiments-jobs.yml';

/** GitHub takes no more in the outputs of a job, whose characters it counts as two bytes each; GitLab in a file of a pipeline. */
const MAX_BYTES = 1_000_000;
/** GitLab takes no more in the `needs` of a job; without them it waits for all earlier stages. */
const MAX_NEEDS = 50;

/** @param variables what the jobs of a GitLab pipeline are to have */
export function renderMatrix(
  levels: readonly (readonly MatrixJob[])[],
  format: MatrixFormat,
  variables: Readonly<Record<string, string>> = {},
): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify({ levels: levels.map((level) => ({ jobs: level.map(jsonOf) })) }, null, 2)}\n`;
    case 'github':
      return limited(
        `${JSON.stringify(levels.map((level) => ({ include: level.map(githubOf) })))}\n`,
        ({ length }) => 2 * length,
      );
    case 'gitlab':
      return limited(`${JSON.stringify(gitlabOf(levels, variables), null, 2)}\n`, Buffer.byteLength);
  }
}

function jsonOf(job: MatrixJob) {
  return {
    name: nameOf(job),
    tasks: job.tasks.map(({ id }) => id),
    run: commandsOf(job.tasks),
    estimatedSeconds: secondsOf(job),
  };
}

function githubOf(job: MatrixJob) {
  return {
    name: nameOf(job),
    level: job.level,
    job: job.job,
    run: commandsOf(job.tasks).join('\n'),
    estimatedSeconds: secondsOf(job),
  };
}

/** A child pipeline. JSON is YAML. */
function gitlabOf(levels: readonly (readonly MatrixJob[])[], variables: Readonly<Record<string, string>>) {
  const jobs = levels.flat();
  const before = neededJobs(jobs);
  return {
    include: [{ local: GITLAB_JOBS }],
    stages: [...levels.map((_, i) => `level ${i + 1}`), 'report'],
    ...(Object.keys(variables).length > 0 ? { variables } : {}),
    ...Object.fromEntries(
      jobs.map((job) => {
        const needs = before(job).map(shortName);
        return [
          shortName(job),
          {
            extends: '.experiments-job',
            stage: `level ${job.level}`,
            ...(needs.length > MAX_NEEDS ? {} : { needs }),
            variables: {
              NX_EXPERIMENTS_JOB: `${job.level}-${job.job}`,
              NX_EXPERIMENTS_RUN: commandsOf(job.tasks).join('\n'),
            },
          },
        ];
      }),
    ),
  };
}

/** Jobs whose results another one reads, directly or through others: what it gets is what they upload. */
function neededJobs(jobs: readonly MatrixJob[]): (job: MatrixJob) => MatrixJob[] {
  const jobOf = new Map(jobs.flatMap((job) => job.tasks.map(({ id }) => [id, job] as const)));
  const found = new Map<MatrixJob, Set<MatrixJob>>();
  for (const job of jobs) {
    const needed = new Set<MatrixJob>();
    for (const id of job.tasks.flatMap(({ waitsFor }) => waitsFor)) {
      const direct = jobOf.get(id);
      if (direct === undefined || direct === job) continue;
      needed.add(direct);
      for (const behind of found.get(direct) ?? []) needed.add(behind);
    }
    found.set(job, needed);
  }
  return (job) => jobs.filter((other) => found.get(job)?.has(other));
}

function shortName({ level, job }: MatrixJob): string {
  return `level ${level}, job ${job}`;
}

function nameOf(job: MatrixJob): string {
  const [first] = job.tasks;
  const more = job.tasks.length - 1;
  return `${shortName(job)}: ${first?.id}${more > 0 ? ` and ${more} more` : ''}`;
}

function secondsOf({ estimatedMs }: MatrixJob): number {
  return Math.ceil(estimatedMs / 100) / 10;
}

function limited(text: string, count: (text: string) => number): string {
  const bytes = count(text);
  if (bytes <= MAX_BYTES) return text;
  throw new SettingsError(
    `The matrix has ${bytes} bytes, and CI takes no more than ${MAX_BYTES}: name the experiments of each workflow, or write it to a file with --format json.`,
  );
}
