import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Definition } from '../config/config.ts';
import { encodeDefinition } from '../runtime/definitions.ts';

export const MODULE_KINDS = ['datasources', 'steps', 'outputs', 'verifiers'] as const;
export type ModuleKind = (typeof MODULE_KINDS)[number];

/** In the order in which they are preferred. */
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

/** Absolute paths of an experiment's modules; a kind that the folder lacks is undefined. */
export type Modules = Readonly<Record<ModuleKind, string | undefined>>;

export function findModules(folder: string): Modules {
  let files: Set<string>;
  try {
    files = new Set(readdirSync(folder));
  } catch {
    files = new Set();
  }
  const find = (kind: ModuleKind): string | undefined => {
    const extension = EXTENSIONS.find((candidate) => files.has(kind + candidate));
    return extension && join(folder, kind + extension);
  };
  return {
    datasources: find('datasources'),
    steps: find('steps'),
    outputs: find('outputs'),
    verifiers: find('verifiers'),
  };
}

/** The modules of an experiment's folder, or references to the functions that it was defined with. */
export function modulesOf(folder: string, experiment: string, definition: Definition | undefined): Modules {
  if (definition === undefined) return findModules(folder);
  const { module } = definition;
  const ref = (kind: ModuleKind): string => encodeDefinition({ experiment, kind, module });
  return {
    datasources: ref('datasources'),
    steps: ref('steps'),
    outputs: ref('outputs'),
    verifiers: ref('verifiers'),
  };
}

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
  const chain = new Set<string>();
  const visit = (file: string): void => {
    const path = relative(root, file).split(sep).join('/');
    if (path.startsWith('../') || path.includes('node_modules/') || chain.has(path) || !existsSync(file))
      return;
    chain.add(path);
    const [, extended = ''] = /"extends"\s*:\s*("[^"]*"|\[[^\]]*\])/.exec(readFileSync(file, 'utf8')) ?? [];
    for (const [, target = ''] of extended.matchAll(/"(\.[^"]*)"/g)) {
      const base = resolve(dirname(file), target);
      visit(existsSync(base) && base.endsWith('.json') ? base : `${base}.json`);
    }
  };
  visit(tsconfig);
  return [...chain];
}
