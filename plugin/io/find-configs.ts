import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Name of a file that makes its folder an experiment. */
export const CONFIG_FILE = /^config\.ya?ml$/;

const LEFT_OUT = new Set(['node_modules', 'results']);

/**
 * Config files below a folder, relative to it, with forward slashes; sorted. Installed packages, results and folders whose
 * names begin with a dot are left out. Folders that cannot be read have none.
 */
export function findConfigs(root: string): string[] {
  const found: string[] = [];
  const visit = (folder: string, below: string, linked: readonly string[]): void => {
    for (const entry of entriesOf(folder)) {
      const { name } = entry;
      if (name.startsWith('.')) continue;
      const path = join(folder, name);
      if (isFolder(entry, path)) {
        if (LEFT_OUT.has(name)) continue;
        const target = entry.isSymbolicLink() ? realpathSync(path) : undefined;
        // A link that leads to where it lies itself would never end.
        if (target !== undefined && (linked.includes(target) || isAbove(target, folder))) continue;
        visit(path, `${below}${name}/`, target === undefined ? linked : [...linked, target]);
      } else if (CONFIG_FILE.test(name)) found.push(`${below}${name}`);
    }
  };
  visit(root, '', []);
  return found.sort();
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function isFolder(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(path).isDirectory();
  } catch {
    // It leads to nothing, to itself, or to where nobody may look.
    return false;
  }
}

function isAbove(target: string, folder: string): boolean {
  return `${realpathSync(folder)}/`.startsWith(`${target}/`);
}
