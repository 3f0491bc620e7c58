import { formatDuration } from '../base/duration.ts';
import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import type { Graph } from '../graph/graph.ts';
import { planMatrix } from '../matrix/pack.ts';
import { MATRIX_FORMATS, type MatrixFormat, renderMatrix } from '../matrix/render.ts';
import { type KnownTask, withDependencies } from '../matrix/select.ts';
import type { MatrixJob, MatrixTask } from '../matrix/tasks.ts';
import { pluginOptions, resolveOptions } from '../nx/options.ts';
import { openStore } from '../nx/store-options.ts';
import { type ConditionTargetOptions, EXECUTOR } from '../nx/targets.ts';
import { type NxTasks, readNxTasks } from '../nx/task-graph.ts';
import { count } from '../report/numbers.ts';
import { parseShard } from '../runtime/shards.ts';
import { type Arguments, type Command, textOf } from './command.ts';
import { type ConditionTask, matrixTasks } from './matrix-tasks.ts';
import { checkExperiments, openWorkspace, readGraph } from './workspace.ts';

/** GitHub takes no more in one matrix. */
const MAX_JOBS = 256;
const DEFAULT_JOBS = 8;
const DEFAULT_JOB_COST_SECONDS = 60;

/** `nx-experiments matrix`: balanced jobs for CI, level by level. */
export const run: Command['run'] = async ({ cwd, names, options, json }, print) => {
  const format = formatOf(textOf(options.format) ?? (json ? 'json' : 'github'));
  const limits = {
    jobs: numberOf(options, 'jobs', 1, MAX_JOBS) ?? DEFAULT_JOBS,
    levels: numberOf(options, 'levels', 1, 1000),
    jobCostMs: (numberOf(options, 'job-cost', 0, 86_400) ?? DEFAULT_JOB_COST_SECONDS) * 1000,
  };
  const affected = revisionsOf(options, names);
  const { nxJson } = openWorkspace(cwd);
  const { root, store, graph, interpreters } = readGraph(cwd);
  checkExperiments(graph, names);
  const { targetName } = resolveOptions(pluginOptions(nxJson));
  const found = readNxTasks(root, nxJson, targetName, affected);
  const all = knownTasks(found);
  const conditions = conditionTasks(found, all, graph, names);
  const surroundings = { root, graph, interpreters, store: openStore(store) };
  const tasks = await matrixTasks(all, conditions, surroundings, options.reuse === true);
  const levels = planMatrix(tasks, limits);
  process.stderr.write(summary(levels, tasks, conditions.length));
  print(renderMatrix(levels, format, variablesOf(affected)));
  return 0;
};

function formatOf(text: string): MatrixFormat {
  const format = MATRIX_FORMATS.find((known) => known === text);
  if (format !== undefined) return format;
  throw new SettingsError(`Unknown format "${text}". ${suggestion(text, MATRIX_FORMATS, 'formats')}`);
}

function numberOf(options: Arguments['options'], name: string, least: number, most: number) {
  const text = textOf(options[name]);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new SettingsError(`--${name} must be a whole number from ${least} to ${most}, and is "${text}".`);
}

function revisionsOf(options: Arguments['options'], names: readonly string[]) {
  const revisions = { base: textOf(options.base), head: textOf(options.head) };
  for (const [name, revision] of Object.entries(revisions)) {
    if (revision === undefined) continue;
    if (options.affected !== true) throw new SettingsError(`--${name} belongs to --affected: give both.`);
    if (!/^[^-\s]\S*$/.test(revision)) throw new SettingsError(`"--${name}=${revision}" is no commit.`);
  }
  if (options.affected !== true) return undefined;
  if (names.length > 0)
    throw new SettingsError('Give experiments or --affected, not both: --affected finds them.');
  return revisions;
}

function knownTasks({ tasks }: NxTasks): Map<string, KnownTask> {
  return new Map(
    Object.keys(tasks.tasks).map((id) => [
      id,
      {
        id,
        dependencies: (tasks.dependencies[id] ?? []).map((up) => (typeof up === 'string' ? up : up.id)),
      },
    ]),
  );
}

/** Tasks that run replicates; what puts shards together or compares takes no time, and runs where it is read. */
function conditionTasks(
  { graph: { nodes }, tasks }: NxTasks,
  all: ReadonlyMap<string, KnownTask>,
  graph: Graph,
  names: readonly string[],
): ConditionTask[] {
  const experimentOf = new Map(
    [...graph.experiments.values()].map((node) => [node.config.folder, node.name]),
  );
  const resolved = Object.values(tasks.tasks).flatMap(({ id, target: { project, target } }) => {
    const data = nodes[project]?.data;
    const experiment = experimentOf.get(data?.root ?? '');
    const { executor, options } = data?.targets?.[target] ?? {};
    return experiment === undefined || executor !== EXECUTOR
      ? []
      : [{ id, project, target, experiment, options }];
  });
  const wanted = resolved.filter(({ experiment }) => names.length === 0 || names.includes(experiment));
  const needed = new Set(
    withDependencies(
      all,
      wanted.map(({ id }) => id),
    ).map(({ id }) => id),
  );
  return resolved
    .filter(({ id }) => needed.has(id))
    .flatMap(({ options, ...task }) => {
      const { condition, shard, shards }: Partial<ConditionTargetOptions> = options ?? {};
      if (condition === undefined || shards !== undefined) return [];
      checkWord(task.project);
      const part = shard === undefined ? undefined : parseShard(shard);
      return [{ ...task, condition, shard: part, dependencies: all.get(task.id)?.dependencies ?? [] }];
    });
}

/** What a job runs is split at blanks by a shell. */
function checkWord(project: string): void {
  if (/^[\w@./:+-]+$/.test(project)) return;
  throw new SettingsError(`The project "${project}" cannot be put on a command line: rename it.`);
}

/** A child pipeline compares with the same commits as the pipeline that made it. */
function variablesOf(affected: ReturnType<typeof revisionsOf>): Record<string, string> {
  if (affected === undefined) return {};
  const { NX_BASE, NX_HEAD } = process.env;
  const revisions = { NX_BASE: affected.base ?? NX_BASE, NX_HEAD: affected.head ?? NX_HEAD };
  return Object.fromEntries(
    Object.entries(revisions).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
}

/** For the log of the job: what was found, and what the estimates stand on. */
function summary(
  levels: readonly (readonly MatrixJob[])[],
  tasks: readonly MatrixTask[],
  found: number,
): string {
  const left = found - tasks.length;
  const leftOut = left > 0 ? `; ${count(left, 'task')} left out: the run store has all of it` : '';
  if (tasks.length === 0) return `Nothing to run${leftOut}.\n`;
  const total = tasks.reduce((sum, { estimatedMs }) => sum + estimatedMs, 0);
  const longest = levels.reduce((sum, jobs) => sum + Math.max(...jobs.map((job) => job.estimatedMs)), 0);
  const guessed = tasks.filter(({ isMeasured }) => !isMeasured).length;
  return [
    `${count(tasks.length, 'task')} in ${count(levels.length, 'level')}, ${count(levels.flat().length, 'job')}${leftOut}.`,
    `About ${formatDuration(longest)}, of ${formatDuration(total)} on one machine, without what jobs cost to start.`,
    ...(guessed === 0
      ? []
      : [
          `${guessed === tasks.length ? 'No replicate has' : `Of ${count(guessed, 'task')} no replicate has`} finished before: estimated by the number of replicates.`,
        ]),
    '',
  ].join('\n');
}
