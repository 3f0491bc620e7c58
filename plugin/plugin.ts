/** What Nx looks for in the entry: it loads nothing before it is asked to, since every Nx command starts with it. */
import type { PluginOptions } from './nx/plugin-options.ts';

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
