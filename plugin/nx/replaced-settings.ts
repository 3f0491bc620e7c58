import type { ProjectConfiguration, ProjectGraph, TargetConfiguration } from '@nx/devkit';
import { canonicalJson, type Json } from '../base/json.ts';
import type { ExperimentNode, Graph } from '../graph/graph.ts';
import { EXECUTOR, type ExperimentCode, projectOf } from './targets.ts';

/** What does not depend on any code is enough to tell whether an inferred list is still there. */
const NO_CODE: ExperimentCode = {
  shared: [],
  verifiers: [],
  loaders: new Map(),
  technologies: [],
  foreign: new Set(),
  python: { replicates: undefined, verifiers: undefined },
};

const LISTS = {
  dependsOn: {
    risk: 'Nx would not run first what it reads, and old results could pass for new ones',
    example: '["...", "^build"]',
  },
  inputs: {
    risk: 'Nx would not notice what changes its results, and old ones could pass for new ones',
    example: '["...", "{workspaceRoot}/data.csv"]',
  },
  outputs: { risk: 'Nx would not keep its results', example: '["...", "{projectRoot}/more"]' },
} as const;

/** A task of ours, with its options as Nx passes them. */
interface Task {
  readonly id: string;
  readonly target: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Options that say what conditions run with: on a comparison alone they have no effect. */
const CONDITION_OPTIONS = ['replicates', 'seed'] as const;

/**
 * What nx.json (`targetDefaults`) or a project.json has put in place of what was inferred: Nx takes a whole list from there, or another
 * executor.
 */
export class ReplacedSettings {
  private readonly inferred = new Map<string, ProjectConfiguration>();

  constructor(
    private readonly graph: Graph,
    private readonly targetName: string,
    private readonly shardTimeMs: number | undefined,
    /** Names of projects by their experiments: a project.json may give another one. */
    private readonly projects: ReadonlyMap<string, string>,
    private readonly nodes: ProjectGraph['nodes'],
  ) {}

  /** @returns what is wrong with a target as Nx has it, and how to write it; undefined: nothing */
  problemOf(
    node: ExperimentNode,
    { id, target, options }: Task,
    actual: TargetConfiguration,
  ): string | undefined {
    const expected = this.inferredOf(node).targets?.[target];
    for (const list of ['dependsOn', 'inputs', 'outputs'] as const) {
      const given: readonly unknown[] = actual[list] ?? [];
      const own = this.projectOf(node.name);
      const found = new Set(given.flatMap((entry) => namesOf(entry, own, (project) => project)));
      const inferred = (expected?.[list] ?? []).flatMap((entry) =>
        namesOf(entry, own, (experiment) => this.projectOf(experiment)),
      );
      if (inferred.every((name) => found.has(name))) continue;
      const { risk, example } = LISTS[list];
      return `"${list}" of ${id} is replaced by "targetDefaults" in nx.json or by a project.json: ${risk}. Begin the list there with "...", which stands for what is inferred: "${list}": ${example}.`;
    }
    const isComparison = expected?.options?.condition === undefined;
    for (const read of this.readBy(node, expected)) {
      const { executor } = read.settings;
      if (executor !== undefined && executor !== EXECUTOR)
        return `The target ${read.id}, whose results ${id} reads, is run by ${executor} in place of ${EXECUTOR}: nx.json or a project.json says so, and old results could pass for new ones. Give that target another name there.`;
      if (!isComparison) continue;
      for (const option of CONDITION_OPTIONS) {
        const value = actual.options?.[option];
        // What was typed goes to the conditions as well.
        if (value === undefined || value !== options[option] || value === read.settings.options?.[option])
          continue;
        return `"${option}": ${value} of ${id} does not reach ${read.id}, whose results it compares: "targetDefaults" in nx.json or a project.json says so. Write it in config.yaml, pass --${option}=${value} to the run, or give it to all experiments: "targetDefaults": { "${EXECUTOR}": { "options": { "${option}": ${value} } } }.`;
      }
    }
    return undefined;
  }

  /** The targets whose results a target reads. */
  private *readBy(
    node: ExperimentNode,
    inferred: TargetConfiguration | undefined,
  ): Generator<{ readonly id: string; readonly settings: TargetConfiguration }> {
    for (const entry of inferred?.dependsOn ?? []) {
      if (typeof entry === 'string') continue;
      const { target, projects = [node.name] } = entry;
      for (const project of [projects].flat().map((experiment) => this.projectOf(experiment)))
        yield { id: `${project}:${target}`, settings: this.nodes[project]?.data.targets?.[target] ?? {} };
    }
  }

  private inferredOf(node: ExperimentNode): ProjectConfiguration {
    const known =
      this.inferred.get(node.name) ?? projectOf(this.graph, node, NO_CODE, this.targetName, this.shardTimeMs);
    this.inferred.set(node.name, known);
    return known;
  }

  private projectOf(experiment: string): string {
    return this.projects.get(experiment) ?? experiment;
  }
}

/** What tells an entry of a list from others. Nx writes a task that another one depends on in several ways. */
function namesOf(entry: unknown, own: string, nameOf: (project: string) => string): string[] {
  if (typeof entry !== 'object' || entry === null || !('target' in entry))
    return [canonicalJson(entry as Json)];
  const { target, params, projects } = entry as {
    readonly target: string;
    readonly params?: string;
    readonly projects?: string | readonly string[];
  };
  const among = projects === undefined ? [own] : [projects].flat().map(nameOf);
  return among.map((project) => `${project}:${target} ${params ?? 'ignore'}`);
}
