import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutorContext, ProjectGraph } from '@nx/devkit';
import { formatDiagnostic } from '../base/diagnostics.ts';
import { SHARD_SUFFIX } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { experimentOf, type Graph } from '../graph/graph.ts';
import { readExperiments } from '../io/discover.ts';
import { parseShard, type Shard, shardCount } from '../runtime/shards.ts';
import { InferenceCache } from './cache.ts';
import type { ResolvedOptions } from './options.ts';
import { ReplacedSettings } from './replaced-settings.ts';
import { parseRunOptions, type RunExecutorOptions } from './run-options.ts';
import { conditionTarget, isOurs } from './targets.ts';

/** One Nx task of ours: a condition to run, or the comparison of an experiment. */
export interface ExperimentTask {
  readonly id: string;
  readonly project: string;
  readonly target: string;
  /** As Nx passes them. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a task is to do. */
export interface ResolvedTask extends Omit<ExperimentTask, 'options'> {
  readonly options: RunExecutorOptions;
  readonly experiment: string;
  /** Undefined for the comparison. */
  readonly condition: string | undefined;
  /** Of a task that runs a part of the condition. */
  readonly shard: Shard | undefined;
  /** Of a task that puts this many parts together. */
  readonly merges: number | undefined;
}

interface LoadedGraph {
  readonly graph: Graph;
  /** Names of experiments by their projects: a project.json may give a project another one. */
  readonly experiments: ReadonlyMap<string, string>;
}

/**
 * What tasks are to do, and the experiments that they and what they read belong to.
 *
 * @throws SettingsError that says what is wrong with a config, an option or a target
 */
export function resolveTasks(
  tasks: readonly ExperimentTask[],
  { root, projectGraph }: Pick<ExecutorContext, 'root' | 'projectGraph'>,
  plugin: ResolvedOptions,
): { readonly graph: Graph; readonly resolved: readonly ResolvedTask[] } {
  if (projectGraph === undefined)
    throw new SettingsError('nx-experiments needs the project graph, which this version of Nx did not pass.');
  const loaded = loadGraph(
    root,
    projectGraph,
    tasks.map((task) => task.project),
  );
  const { graph, experiments } = loaded;
  const projects = new Map([...experiments].map(([project, experiment]) => [experiment, project]));
  const replaced = new ReplacedSettings(
    graph,
    plugin.targetName,
    plugin.shardTimeMs,
    projects,
    projectGraph.nodes,
  );
  const resolved = tasks.map((task) => {
    const { isInferred, ...found } = resolveTask(task, loaded, plugin);
    const target = projectGraph.nodes[task.project]?.data.targets?.[task.target];
    const problem =
      isInferred && target !== undefined
        ? replaced.problemOf(experimentOf(graph, found.experiment), task, target)
        : undefined;
    if (problem !== undefined) throw new SettingsError(problem);
    return found;
  });
  return { graph, resolved };
}

/** Reads the configs of these projects and of all that they depend on. */
function loadGraph(root: string, projectGraph: ProjectGraph, projects: readonly string[]): LoadedGraph {
  const projectByFile = new Map<string, string>();
  const visited = new Set<string>();
  const waiting = [...projects];
  for (let project = waiting.pop(); project !== undefined; project = waiting.pop()) {
    if (visited.has(project)) continue;
    visited.add(project);
    const data = projectGraph.nodes[project]?.data;
    if (data === undefined || !isOurs(data)) continue;
    const { root: folder } = data;
    const file = ['config.yaml', 'config.yml']
      .map((name) => (folder === '.' ? name : `${folder}/${name}`))
      .find((path) => existsSync(join(root, path)));
    if (file === undefined) continue;
    projectByFile.set(file, project);
    waiting.push(...(projectGraph.dependencies[project] ?? []).map((dependency) => dependency.target));
  }
  // Nx has just asked for the projects: what it parsed for them is still known.
  const { graph, diagnostics, texts } = readExperiments(
    root,
    [...projectByFile.keys()].sort(),
    InferenceCache.of(root).configs,
  );
  if (diagnostics.length > 0) {
    const rendered = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, (file) => texts.get(file)));
    throw new SettingsError(rendered.join('\n\n'));
  }
  const experiments = new Map<string, string>();
  for (const { name, config } of graph.experiments.values()) {
    const project = projectByFile.get(config.file);
    if (project !== undefined) experiments.set(project, name);
  }
  return { graph, experiments };
}

function resolveTask(
  task: ExperimentTask,
  { graph, experiments }: LoadedGraph,
  plugin: ResolvedOptions,
): ResolvedTask & { readonly isInferred: boolean } {
  const { id, project, target } = task;
  const experiment = experiments.get(project);
  if (experiment === undefined) {
    throw new SettingsError(
      `The project "${project}" has no config.yaml of an experiment, but its target "${target}" uses the executor nx-experiments:run.`,
    );
  }
  const options = parseRunOptions(task.options);
  if ('problem' in options) throw new SettingsError(options.problem);
  const known = conditionsOf(graph, experiment);
  const { replicates, config } = experimentOf(graph, experiment);
  const count = shardCount(replicates, config.execution, plugin.shardTimeMs);
  const { condition, shard: shardText, shards: merges } = options;
  const shard = shardText === undefined ? undefined : parseShard(shardText);
  const own = inferredTarget(target, plugin.targetName, known, count);
  const refuse = (option: string, why: string): never => {
    throw new SettingsError(`"--${option}" cannot be given to ${id}: ${why}`);
  };
  if (condition !== undefined && (!known.includes(condition) || (own && condition !== own.condition))) {
    const targets = known.map((name) => `${project}:${conditionTarget(plugin.targetName, name)}`);
    refuse(
      `condition=${condition}`,
      `every condition is a target of its own. Run one of: ${targets.join(', ')}.`,
    );
  }
  if (shardText !== undefined && (shard === undefined || (own && shardText !== own.shard))) {
    const example = conditionTarget(plugin.targetName, condition ?? '', { k: 1, n: count ?? 4 });
    refuse(`shard=${shardText}`, `every shard is a target of its own, such as ${project}:${example}.`);
  }
  if (merges !== undefined && (!Number.isInteger(merges) || merges < 1 || (own && merges !== own.merges)))
    refuse(`shards=${merges}`, `execution.shards of ${config.file} says how many there are.`);
  return {
    id,
    project,
    target,
    options,
    experiment,
    condition,
    shard,
    merges,
    isInferred: own !== undefined,
  };
}

/** What the inferred target of a name does. @returns undefined for a target that somebody has written */
function inferredTarget(
  target: string,
  targetName: string,
  conditions: readonly string[],
  shards: number | undefined,
): { condition?: string; shard?: string | undefined; merges?: number | undefined } | undefined {
  if (target === targetName) return {};
  if (!target.startsWith(`${targetName}--`)) return undefined;
  const rest = target.slice(targetName.length + 2);
  // No condition's name ends like that.
  const shard = SHARD_SUFFIX.exec(rest)?.[1];
  if (shard === undefined) return conditions.includes(rest) ? { condition: rest, merges: shards } : undefined;
  const condition = rest.slice(0, -`--${shard}`.length);
  return conditions.includes(condition) ? { condition, shard } : undefined;
}
