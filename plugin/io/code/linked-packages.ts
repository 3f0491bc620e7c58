import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { targetOf } from './linked.ts';

/** What the node_modules of some folders have. */
export interface Packages {
  /** Names of packages, and of folders in which a package manager keeps what it links to. */
  readonly names: readonly string[];
  /** Folders of packages of the workspace that are linked. */
  readonly linked: readonly string[];
}

/** In which folders of node_modules pnpm, Yarn and Bun keep what they link to. */
const LINKED_PACKAGES = ['.pnpm', '.store', '.bun'];

/** @param folders that have packages of their own; those of the workspace that they link to may have some, too */
export function packagesOf(...folders: string[]): Packages {
  const names = new Set(LINKED_PACKAGES);
  const linked = new Set<string>();
  const known = new Set<string>();
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (known.has(folder)) continue;
    known.add(folder);
    for (const { name, isLink } of packagesIn(join(folder, 'node_modules'))) {
      names.add(name);
      const target = isLink ? targetOf(join(folder, 'node_modules', name)) : undefined;
      if (target === undefined || target.split(sep).includes('node_modules')) continue;
      linked.add(target);
      folders.push(target);
    }
  }
  return { names: [...names], linked: [...linked] };
}

/** The nearest folder to a file that has packages of its own, as one of many in a workspace may. */
export function packagesFor(file: string, root: string): string {
  for (let at = dirname(file); at.startsWith(root + sep); at = dirname(at)) {
    if (existsSync(join(at, 'node_modules'))) return at;
  }
  return root;
}

/**
 * By specifier, the sources that packages of the workspace name in their `exports` under conditions of the tsconfig, as
 * Nx sets TypeScript up. Packages whose `exports` have patterns are left out.
 */
export function sourcesOf(
  { linked }: Packages,
  conditions: readonly string[],
): Readonly<Record<string, string>> {
  const sources: Record<string, string> = {};
  for (const folder of conditions.length > 0 ? linked : []) {
    const { name, exports = {} } = manifestOf(folder);
    const isMap = Object.keys(exports).every((key) => key.startsWith('.'));
    const entries = Object.entries(isMap ? exports : { '.': exports });
    const found = entries.map(([key, target]) => [key, targetUnder(target, conditions)] as const);
    if (found.some(([key]) => key.includes('*'))) continue;
    if (!found.some(([, target]) => target?.isSource)) continue;
    for (const [key, target] of found) {
      const file = target && join(folder, target.path);
      if (name !== undefined && file !== undefined && existsSync(file)) sources[name + key.slice(1)] = file;
    }
  }
  return sources;
}

interface Target {
  readonly path: string;
  /** Whether one of the conditions led to it. */
  readonly isSource: boolean;
}

/** What an import of TypeScript finds: the first condition that holds, in the order in which they are written. */
function targetUnder(target: unknown, conditions: readonly string[], isSource = false): Target | undefined {
  if (typeof target === 'string') return { path: target, isSource };
  if (typeof target !== 'object' || target === null) return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    const isOurs = conditions.includes(condition);
    if (!isOurs && !['node', 'import', 'default'].includes(condition)) continue;
    const found = targetUnder(inner, conditions, isSource || isOurs);
    if (found !== undefined) return found;
  }
  return undefined;
}

function manifestOf(folder: string): { readonly name?: string; readonly exports?: object } {
  try {
    const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return typeof exports === 'object' && exports !== null ? { name, exports } : { name };
  } catch {
    return {};
  }
}

function packagesIn(folder: string): { readonly name: string; readonly isLink: boolean }[] {
  return entriesIn(folder).flatMap((entry) =>
    entry.name.startsWith('@')
      ? entriesIn(join(folder, entry.name)).map((inner) => packageOf(inner, `${entry.name}/`))
      : [packageOf(entry)],
  );
}

function packageOf(entry: Dirent, scope = ''): { readonly name: string; readonly isLink: boolean } {
  return { name: scope + entry.name, isLink: entry.isSymbolicLink() };
}

function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  } catch {
    return [];
  }
}
