import type { Tree } from '@nx/devkit';
import init from '../../generators/init/generator.ts';

/** Workspaces that were set up by hand get what `init` gives new ones. Formatting is left to the workspace. */
export default async function setUpWorkspace(tree: Tree): Promise<void> {
  await init(tree, { skipFormat: true });
}
