import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseJsonc } from '../jsonc.ts';

/** The tsconfig whose `paths` hold in a folder: the nearest tsconfig.json up to the root, else the root's tsconfig.base.json. */
export function findTsconfig(root: string, folder: string): string | undefined {
  for (let at = folder; at.startsWith(root); at = dirname(at)) {
    const candidate = join(at, 'tsconfig.json');
    if (existsSync(candidate)) return candidate;
    if (at === dirname(at)) break;
  }
  const base = join(root, 'tsconfig.base.json');
  return existsSync(base) ? base : undefined;
}

/** A tsconfig and the files of the workspace that it extends, relative to the root, with forward slashes. */
export function tsconfigChain(root: string, tsconfig: string): string[] {
  return [...chainOf(root, tsconfig).keys()];
}

/** The conditions that a tsconfig adds to those of `exports`, or else a file that it extends. */
export function customConditions(root: string, tsconfig: string | undefined): string[] {
  for (const { compilerOptions } of tsconfig === undefined ? [] : chainOf(root, tsconfig).values()) {
    const conditions = compilerOptions?.customConditions;
    if (Array.isArray(conditions)) return conditions.filter(isText);
  }
  return [];
}

/** What of a tsconfig is of interest here; nobody has checked it. */
interface Tsconfig {
  readonly extends?: unknown;
  readonly compilerOptions?: { readonly customConditions?: unknown };
}

/** What counts more comes first: a tsconfig before its bases, and of these the last. */
function chainOf(root: string, tsconfig: string): Map<string, Tsconfig> {
  const chain = new Map<string, Tsconfig>();
  const visit = (file: string): void => {
    const path = relative(root, file).split(sep).join('/');
    if (path.startsWith('../') || path.includes('node_modules/') || chain.has(path) || !existsSync(file))
      return;
    const read = readTsconfig(file);
    chain.set(path, read);
    for (const target of [read.extends].flat().filter(isText).reverse()) {
      if (!target.startsWith('.')) continue;
      const base = resolve(dirname(file), target);
      visit(existsSync(base) && base.endsWith('.json') ? base : `${base}.json`);
    }
  };
  visit(tsconfig);
  return chain;
}

/** Nothing of a file that is no tsconfig: whoever compiles says what is wrong with it. */
function readTsconfig(file: string): Tsconfig {
  try {
    const read = parseJsonc(readFileSync(file, 'utf8').replace(/^\ufeff/, ''));
    return typeof read === 'object' && read !== null ? read : {};
  } catch {
    return {};
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
