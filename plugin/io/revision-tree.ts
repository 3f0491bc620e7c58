import { existsSync, rmSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, realpath, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { git } from './git.ts';

/** The files of a revision in a temporary folder, with what is installed in the workspace lent to them. */
export interface RevisionTree {
  /** Absolute path that stands for the workspace's root. */
  readonly root: string;
  remove(): void;
}

/** Writes the files of a commit; Git's own folder stays as it is. @param root the workspace, absolute */
export async function writeRevision(root: string, commit: string): Promise<RevisionTree> {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'nx-experiments-base-')));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(top, { recursive: true, force: true });
  };
  // A process that is stopped has no time for more than this.
  process.on('exit', remove);
  try {
    const tree = join(top, 'tree');
    await mkdir(tree);
    const prefix = await git(root, ['rev-parse', '--show-prefix']);
    const toplevel = await git(root, ['rev-parse', '--show-toplevel']);
    const index = { env: { GIT_INDEX_FILE: join(top, 'index') } };
    await git(toplevel, ['read-tree', `${commit}:${prefix}`], index);
    await git(toplevel, ['checkout-index', '--all', '--force', `--prefix=${tree}/`], index);
    const paths = (await git(toplevel, ['ls-files', '-z'], index)).split('\0');
    for (const folder of foldersOf(paths)) await lend(root, tree, folder);
    return { root: tree, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Folders that may have packages or a Python of their own: the root, and those of packages and experiments. */
function foldersOf(paths: readonly string[]): string[] {
  const marked = paths.filter((path) => /(^|\/)(package\.json|config\.ya?ml)$/.test(path));
  return [...new Set(['', ...marked.map((path) => path.slice(0, path.lastIndexOf('/') + 1))])];
}

async function lend(root: string, tree: string, folder: string): Promise<void> {
  const environment = join(root, folder, '.venv');
  if (existsSync(environment) && !existsSync(join(tree, folder, '.venv')))
    await symlink(environment, join(tree, folder, '.venv'), 'junction');
  await lendPackages(root, tree, join(folder, 'node_modules'));
}

/**
 * Each package by a link of its own: one that is a folder of the workspace must be that of the revision. What is missing
 * there stays missing.
 */
async function lendPackages(root: string, tree: string, folder: string): Promise<void> {
  const entries = await readdir(join(root, folder)).catch(() => []);
  if (entries.length === 0 || existsSync(join(tree, folder))) return;
  await mkdir(join(tree, folder), { recursive: true });
  for (const name of entries) {
    const from = join(root, folder, name);
    if (name.startsWith('@') && (await lstat(from)).isDirectory()) {
      await lendPackages(root, tree, join(folder, name));
      continue;
    }
    const target = await realpath(from).catch(() => undefined);
    if (target === undefined) continue;
    const inside = relative(await realpath(root), target);
    const isOurs = !inside.startsWith('..') && !inside.split(sep).includes('node_modules');
    const source = isOurs ? join(tree, inside) : target;
    if (!existsSync(source)) continue;
    await mkdir(dirname(join(tree, folder, name)), { recursive: true });
    await symlink(source, join(tree, folder, name), 'junction');
  }
}
