import { dirname } from 'node:path';
import type { CreateNodesContext, CreateNodesResultArray } from '@nx/devkit';
import { refusePlugNPlay } from '../io/plug-n-play.ts';
import { experimentFiles, resolveOptions } from './options.ts';
import type { PluginOptions } from './plugin-options.ts';
import { projectOf } from './targets.ts';
import { ExperimentWorkspace } from './workspace.ts';

/** One project for each experiment; one error for each config file that has problems, with all of them. */
export async function inferProjects(
  files: readonly string[],
  rawOptions: PluginOptions,
  context: CreateNodesContext,
): Promise<CreateNodesResultArray> {
  const options = resolveOptions(rawOptions);
  const experiments = experimentFiles(files, options);
  if (experiments.length === 0) return [];
  refusePlugNPlay();
  const workspace = ExperimentWorkspace.open(context.workspaceRoot, experiments, options);
  try {
    const problems = await workspace.problems();
    const { graph } = workspace.discovery;
    const byFile = new Map([...graph.experiments.values()].map((node) => [node.config.file, node]));
    const found: [string, CreateNodesResultArray[number][1]][] = [];
    const errors: [string, Error][] = [];
    for (const file of experiments) {
      try {
        const problem = problems.get(file);
        if (problem !== undefined) throw new Error(`\n${problem}\n`);
        const node = byFile.get(file);
        if (node === undefined) continue;
        const code = workspace.codeOf(node);
        const project = projectOf(graph, node, code, options.targetName, options.shardTimeMs);
        found.push([file, { projects: { [dirname(file)]: project } }]);
      } catch (error) {
        errors.push([file, error as Error]);
      }
    }
    if (errors.length === 0) return found;
    // The devkit takes long to load: only what goes wrong needs it.
    const { AggregateCreateNodesError } = await import('@nx/devkit');
    throw new AggregateCreateNodesError(errors, found);
  } finally {
    workspace.save(experiments, options);
  }
}
