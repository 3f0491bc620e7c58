/** The entry that Nx and the users' modules import: it loads nothing heavy before it is asked to. */
import type { PluginOptions } from './nx/plugin-options.ts';

export { ArtifactDatasource, ExperimentInput } from './api/artifact-datasource.ts';
export type { DebugOptions, DebugResult } from './api/debug.ts';
export { defineExperiment } from './api/define-experiment.ts';
export { Experiment } from './api/experiment.ts';
export { ExperimentGraph } from './api/experiment-graph.ts';
export type * from './api/experiment-options.ts';
export type * from './api/result.ts';
export type { GraphRunOptions } from './api/run-options.ts';
export { jsonOutput, type OutputDefinition } from './api/shape.ts';
export type { StreamItem } from './api/stream.ts';
export { SettingsError } from './base/settings-error.ts';
export type { PluginOptions } from './nx/plugin-options.ts';
export {
  type Artifact,
  type Datasource,
  defineDatasource,
  defineStep,
  required,
  type Step,
  type StepContext,
  type WithMetrics,
  withMetrics,
} from './runtime/context.ts';
export type { RunEvent } from './runtime/events.ts';

/** The name by which Nx knows the plugin. */
export const name = 'nx-experiments';

/**
 * Infers one Nx project from each experiment's config.yaml. The types of Nx are left out here, since whoever writes a step
 * would have to compile them; tests/nx/entry.test.ts holds that they fit.
 */
export const createNodes = [
  '**/config.{yaml,yml}',
  async (
    files: readonly string[],
    options: PluginOptions | undefined,
    context: { readonly workspaceRoot: string },
  ): Promise<(readonly [string, object])[]> =>
    (await import('./nx/create-nodes.ts')).inferProjects(files, options ?? {}, context as never),
] as const;

/** The former name of `createNodes`, which Nx still looks for. */
export const createNodesV2 = createNodes;

/** Gives the project graph an edge for every reference, and for shared code that an experiment imports. */
export const createDependencies = async (
  options: PluginOptions | undefined,
  context: { readonly workspaceRoot: string },
): Promise<object[]> =>
  (await import('./nx/create-dependencies.ts')).inferDependencies(options ?? {}, context as never);
