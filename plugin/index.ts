/** The entry that Nx and the users' modules import: it loads nothing heavy before it is asked to. */
import type { CreateDependencies, CreateNodes } from '@nx/devkit';
import type { PluginOptions } from './nx/options.ts';

export type { PluginOptions } from './nx/options.ts';
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

export const name = 'nx-experiments';

/** Infers one Nx project from each experiment's config.yaml. */
export const createNodes: CreateNodes<PluginOptions> = [
  '**/config.{yaml,yml}',
  async (files, options, context) =>
    (await import('./nx/create-nodes.ts')).inferProjects(files, options ?? {}, context),
];

/** The former name of `createNodes`, which Nx still looks for. */
export const createNodesV2 = createNodes;

/** Gives the project graph an edge for every reference, and for shared code that an experiment imports. */
export const createDependencies: CreateDependencies<PluginOptions> = async (options, context) =>
  (await import('./nx/create-dependencies.ts')).inferDependencies(options ?? {}, context);
