import { posix } from 'node:path';
import type { ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import type { Presentation } from '../config/config.ts';
import { conditionsOf, type ResolvedSource, resolveCondition } from '../graph/conditions.ts';
import { type ExperimentNode, experimentOf, type Graph } from '../graph/graph.ts';
import { inputGlobs } from '../io/changes/declared-inputs.ts';
import { FURTHER_ARTIFACTS } from '../runtime/manifest.ts';
import { SHARDS_FOLDER, type Shard, shardCount, shardName, shardsOf } from '../runtime/shards.ts';
import { escapeGlob } from './globs.ts';

/** Workspace code behind an experiment, as Nx inputs need it: globs relative to the workspace root. */
export interface ExperimentCode {
  /** Reached from its modules, and not beside them in the experiment's folder. */
  readonly shared: readonly string[];
  /** Everything that the verifiers module reaches, itself included. */
  readonly verifiers: readonly string[];
  /** By upstream experiment: what its outputs module, whose loaders read the artifacts, reaches. */
  readonly loaders: ReadonlyMap<string, readonly string[]>;
  readonly technologies: readonly string[];
  /** Upstream experiments whose loaders are written in another language: they are not what reads the artifacts. */
  readonly foreign: ReadonlySet<string>;
  /** Shell commands that tell which Python is used, with which packages; undefined where none is. */
  readonly python: { readonly replicates: string | undefined; readonly verifiers: string | undefined };
}

/** Options of a condition's target. */
export interface ConditionTargetOptions {
  readonly condition: string;
  /** The part of the condition that is run, as `2of4`. */
  readonly shard?: string;
  /** How many shards are put together; nothing is run then. */
  readonly shards?: number;
  /**
   * How each referenced artifact is read, and at which condition where that is another one. A change of the upstream's config reaches the
   * hash by it, also that of the comparison, which tells of it.
   */
  readonly reads?: Readonly<Record<string, string>>;
}

export const EXECUTOR = 'nx-experiments:run';
export const TAG = 'experiment';

/** Whether the plugin has taken a project for an experiment: what is shared with experiments may have a config.yaml that is none of ours. */
export function isOurs({ targets = {} }: Pick<ProjectConfiguration, 'targets'>): boolean {
  return Object.values(targets).some(({ executor }) => executor === EXECUTOR);
}

type Input = NonNullable<TargetConfiguration['inputs']>[number];
type ArtifactSource = Extract<ResolvedSource, { type: 'artifact' }>;

/** Artifacts of up to so many replicates are named one by one; for those of more, whose names would make the graph large, Nx searches the folder. */
const NAMED_REPLICATES = 32;

export function conditionTarget(targetName: string, condition: string, shard?: Shard): string {
  const target = `${targetName}--${condition}`;
  return shard === undefined ? target : `${target}--${shardName(shard)}`;
}

/**
 * The Nx project of an experiment. Pure: the same graph and code give the same project. Each property costs: Nx keeps for every one where
 * it comes from, sends the graph to its plugins and writes it, so that none is there that says nothing new.
 *
 * @param shardTimeMs how long a shard should take, for experiments that say how long a replicate takes
 */
export function projectOf(
  graph: Graph,
  node: ExperimentNode,
  code: ExperimentCode,
  targetName: string,
  shardTimeMs?: number,
): ProjectConfiguration {
  const { config, name } = node;
  const { presentation } = config;
  const conditions = conditionsOf(graph, name);
  const targets: Record<string, TargetConfiguration> = {
    [targetName]: comparison(graph, node, code, targetName),
  };
  const count = shardCount(node.replicates, config.execution, shardTimeMs);
  const shardTargets: string[] = [];
  for (const condition of conditions) {
    const target = conditionTarget(targetName, condition);
    if (count === undefined)
      targets[target] = conditionTask(graph, node, condition, undefined, code, targetName);
    else targets[target] = mergingTask(node, condition, count, targetName);
    for (const shard of count === undefined ? [] : shardsOf(count)) {
      const part = conditionTarget(targetName, condition, shard);
      targets[part] = conditionTask(graph, node, condition, shard, code, targetName);
      shardTargets.push(part);
    }
  }
  // One sign beyond Latin-1 doubles the memory of the whole project graph's JSON, and the time to write it: nobody gets one unasked.
  const description = [presentation.icon, config.description].filter((part) => part !== undefined).join(' ');
  return {
    name,
    root: config.folder,
    tags: [TAG, ...(presentation.group === undefined ? [] : [`group:${presentation.group}`])],
    metadata: {
      ...(description === '' ? {} : { description }),
      technologies: [...code.technologies],
      ...presentationMetadata(presentation),
      targetGroups: {
        [`${targetName} conditions`]: conditions.map((c) => conditionTarget(targetName, c)),
        ...(shardTargets.length > 0 ? { [`${targetName} shards`]: shardTargets } : {}),
      },
    },
    targets,
  };
}

/** What config.yaml says under `cli`; nothing where it says nothing. */
function presentationMetadata({ hidden, ...texts }: Presentation): { cli?: object } {
  const shown = Object.entries(texts).filter(([, value]) => value !== undefined);
  return shown.length === 0 && !hidden ? {} : { cli: { ...Object.fromEntries(shown), hidden } };
}

function comparison(
  graph: Graph,
  node: ExperimentNode,
  code: ExperimentCode,
  targetName: string,
): TargetConfiguration {
  const { config, name } = node;
  const conditions = conditionsOf(graph, name);
  return {
    executor: EXECUTOR,
    cache: true,
    dependsOn: conditions.map((c) => ({
      target: conditionTarget(targetName, c),
      params: 'forward' as const,
    })),
    inputs: [
      fromRoot(escapeGlob(config.file)),
      ...code.verifiers.map(fromRoot),
      ...conditions.map((c) => fromDisk(`${resultsGlob(graph, name, c)}/metrics.json`)),
      ...runtimeInput(code.python.verifiers),
    ],
    outputs: ['{projectRoot}/results/report', '{projectRoot}/results/ro-crate-metadata.json'],
  };
}

/** @param shard the part of the condition that it runs; undefined: all of it */
function conditionTask(
  graph: Graph,
  node: ExperimentNode,
  condition: string,
  shard: Shard | undefined,
  code: ExperimentCode,
  targetName: string,
): TargetConfiguration {
  const { config, name } = node;
  const { sources } = resolveCondition(graph, name, condition);
  const artifacts = sources.flatMap((source) => (source.type === 'artifact' ? [source] : []));
  const upstream = new Map(artifacts.map((source) => [`${source.experiment}\0${source.condition}`, source]));
  const dependsOn = [...upstream.values()].map((source) => ({
    projects: [source.experiment],
    target: conditionTarget(targetName, source.condition),
    params: 'forward' as const,
  }));
  const loaderCode = new Set(
    artifacts.flatMap(({ experiment, output }) =>
      output.loader === undefined ? [] : (code.loaders.get(experiment) ?? []),
    ),
  );
  const reads = Object.fromEntries(
    artifacts.map(({ alias, experiment, condition: at, output }) => [
      alias,
      `${experiment}#${output.alias} ${output.fileName} ${output.loader ?? 'bytes'}${at === condition ? '' : ` at ${at}`}${code.foreign.has(experiment) ? ' (of another language)' : ''}`,
    ]),
  );
  const options: ConditionTargetOptions = {
    condition,
    ...(shard === undefined ? {} : { shard: shardName(shard) }),
    ...(artifacts.length > 0 ? { reads } : {}),
  };
  return {
    executor: EXECUTOR,
    cache: true,
    options,
    ...(dependsOn.length > 0 ? { dependsOn } : {}),
    inputs: [
      '{projectRoot}/**/*',
      '!{projectRoot}/results/**/*',
      '!{projectRoot}/**/__pycache__/**',
      ...runtimeInput(code.python.replicates),
      ...[...new Set([...code.shared, ...loaderCode])].sort().map(fromRoot),
      ...config.inputs.flatMap((input): Input[] =>
        input.type === 'env' ? [{ env: input.name }] : inputGlobs(input.glob).map(fromRoot),
      ),
      ...artifacts.map((source) => artifactInput(graph, source)),
      ...[...upstream.values()].flatMap((source) => upstreamInputs(graph, source)),
    ],
    outputs: [
      shard === undefined
        ? `{projectRoot}/results/${condition}`
        : `{projectRoot}/${shardsFolder(condition)}/${shardName(shard)}`,
    ],
  };
}

/** A condition that is divided: its task puts together what the tasks of its shards have made. */
function mergingTask(
  node: ExperimentNode,
  condition: string,
  count: number,
  targetName: string,
): TargetConfiguration {
  const { config } = node;
  const options: ConditionTargetOptions = { condition, shards: count };
  return {
    executor: EXECUTOR,
    cache: true,
    options,
    dependsOn: shardsOf(count).map((shard) => ({
      target: conditionTarget(targetName, condition, shard),
      params: 'forward' as const,
    })),
    // A shard's metrics.json holds the digests of its artifacts, and its log is no result.
    inputs: shardsOf(count).map((shard) =>
      fromDisk(
        escapeGlob(posix.join(config.folder, shardsFolder(condition), shardName(shard), 'metrics.json')),
      ),
    ),
    outputs: [`{projectRoot}/results/${condition}`],
  };
}

function shardsFolder(condition: string): string {
  return `results/${SHARDS_FOLDER}/${condition}`;
}

/** The artifacts that a reference reads: where they stay the same, a change upstream stops. */
function artifactInput(graph: Graph, { experiment, condition, output }: ArtifactSource): Input {
  const { replicates } = experimentOf(graph, experiment);
  const results = resultsGlob(graph, experiment, condition);
  const fileName = escapeGlob(output.fileName);
  if (replicates > NAMED_REPLICATES)
    return { dependentTasksOutputFiles: `${results}/artifacts/*/${fileName}`, transitive: false };
  const folders = Array.from({ length: replicates }, (_, i) => `replicate_${i}`);
  const each = folders.length === 1 ? folders[0] : `{${folders.join(',')}}`;
  return fromDisk(`${results}/artifacts/${each}/${fileName}`);
}

/**
 * What else decides whether the artifacts of an upstream are the ones to read. Those of replicates that its config does not have, since
 * somebody asked for more, could not be named. And where one of its files gives its targets to something else, artifacts lie there still,
 * made by what they were: whoever reads them has to run to refuse them.
 */
function upstreamInputs(graph: Graph, { experiment, condition }: ArtifactSource): Input[] {
  const { config, replicates } = experimentOf(graph, experiment);
  const further = fromDisk(`${resultsGlob(graph, experiment, condition)}/${FURTHER_ARTIFACTS}`);
  const settings = ['package.json', 'project.json'].map((file) =>
    fromRoot(escapeGlob(posix.join(config.folder, file))),
  );
  return replicates > NAMED_REPLICATES ? settings : [further, ...settings];
}

function resultsGlob(graph: Graph, experiment: string, condition: string): string {
  return escapeGlob(posix.join(experimentOf(graph, experiment).config.folder, 'results', condition));
}

function runtimeInput(command: string | undefined): Input[] {
  return command === undefined ? [] : [{ runtime: command }];
}

/**
 * Files that a dependency writes. Nx hashes them after that dependency, as it would with `dependentTasksOutputFiles`; but there it would
 * search all folders of outputs for them, with threads of its own for each.
 *
 * @param glob without wildcards: Nx searches folders for them here, too
 */
function fromDisk(glob: string): Input {
  return { fileset: fromRoot(glob), includeIgnored: true };
}

function fromRoot(glob: string): string {
  return `{workspaceRoot}/${glob}`;
}
