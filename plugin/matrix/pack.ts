import { compareText } from '../base/diagnostics.ts';
import { connectedTasks, levelsOf } from './levels.ts';
import type { MatrixJob, MatrixTask } from './tasks.ts';

export interface MatrixLimits {
  /** Most jobs of a level. */
  readonly jobs: number;
  /** Most levels; undefined: as many as the graph is deep. */
  readonly levels?: number | undefined;
  /** What it costs to start a job: measured work is not spread over more of them than that pays. */
  readonly jobCostMs: number;
}

interface Load {
  ms: number;
  readonly tasks: MatrixTask[];
}

/** Levels of jobs, one after the other: every task once, and none before what it waits for. */
export function planMatrix(tasks: readonly MatrixTask[], limits: MatrixLimits): MatrixJob[][] {
  return levelsOf(tasks, limits.levels).map((level, i) =>
    packLevel(level, limits).map((packed, j) => ({
      level: i + 1,
      job: j + 1,
      tasks: packed,
      estimatedMs: totalMs(packed),
    })),
  );
}

/**
 * Longest first, each to the job with the least to do: at most 4/3 of the best that is possible. Tasks of one project stay
 * together where no job gets longer by it than the best possible, which leaves that bound as it is.
 */
export function packLevel(
  tasks: readonly MatrixTask[],
  limits: Pick<MatrixLimits, 'jobs' | 'jobCostMs'>,
): MatrixTask[][] {
  const units = connectedTasks(tasks)
    .map((group): Load => ({ ms: totalMs(group), tasks: [...group].sort(byId) }))
    .sort((a, b) => b.ms - a.ms || compareText(idOf(a), idOf(b)));
  const count = Math.min(limits.jobs, units.length, jobsThatPay(units, limits.jobCostMs));
  const shortest = Math.max(units[0]?.ms ?? 0, units.reduce((sum, { ms }) => sum + ms, 0) / count);
  const jobs = Array.from({ length: count }, (): Load => ({ ms: 0, tasks: [] }));
  for (const unit of units) {
    const projects = new Set(unit.tasks.map(({ project }) => project));
    const job =
      jobs.find(
        (load) => load.ms + unit.ms <= shortest && load.tasks.some(({ project }) => projects.has(project)),
      ) ?? jobs.reduce((least, load) => (load.ms < least.ms ? load : least));
    job.tasks.push(...unit.tasks);
    job.ms += unit.ms;
  }
  return jobs.filter((job) => job.tasks.length > 0).map((job) => job.tasks.sort(byId));
}

/** What nothing is known of may take long: it is worth a job. */
function jobsThatPay(units: readonly Load[], jobCostMs: number): number {
  const measured = units.filter((unit) => unit.tasks.every(({ isMeasured }) => isMeasured));
  const ms = measured.reduce((sum, unit) => sum + unit.ms, 0);
  const paid = jobCostMs > 0 ? Math.ceil(ms / jobCostMs) : measured.length;
  return Math.max(1, paid + units.length - measured.length);
}

function totalMs(tasks: readonly MatrixTask[]): number {
  return tasks.reduce((sum, { estimatedMs }) => sum + estimatedMs, 0);
}

function byId(a: MatrixTask, b: MatrixTask): number {
  return compareText(a.id, b.id);
}

function idOf(load: Load): string {
  return load.tasks[0]?.id ?? '';
}
