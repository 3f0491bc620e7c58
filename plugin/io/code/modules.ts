import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { Definition } from '../../config/config.ts';
import { encodeDefinition } from '../../runtime/definitions.ts';
import { targetOf } from './linked.ts';
import { findTsconfig, tsconfigChain } from './tsconfig.ts';

export const MODULE_KINDS = ['datasources', 'steps', 'outputs', 'verifiers'] as const;
export type ModuleKind = (typeof MODULE_KINDS)[number];

const INSTALLED = `${sep}node_modules${sep}`;

/** In the order in which they are preferred. */
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.py'];

/** What an experiment's functions are written in, so far as it decides who can run them. */
export type Language = 'node' | 'python';

/** Absolute paths of an experiment's modules; a kind that the folder lacks is undefined. */
export type Modules = Readonly<Record<ModuleKind, string | undefined>>;

export function findModules(folder: string): Modules {
  return modulesAmong(folder, moduleFiles(namesIn(folder)));
}

function modulesAmong(folder: string, names: readonly string[]): Modules {
  const files = new Set(names);
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

export function languageOf(module: string): Language {
  return module.endsWith('.py') ? 'python' : 'node';
}

/** The language of what runs a replicate; verifiers may be written in another. */
export function runsIn({ datasources, steps, outputs }: Omit<Modules, 'verifiers'>): Language {
  const module = steps ?? datasources ?? outputs;
  return module === undefined ? 'node' : languageOf(module);
}

interface ModuleClash {
  readonly code: 'twice' | 'mixed';
  readonly files: string[];
}

function clashesAmong(files: readonly string[]): ModuleClash[] {
  const twice = MODULE_KINDS.map((kind) =>
    files.filter((file) => file.replace(/\.\w+$/, '') === kind),
  ).filter((found) => new Set(found.map(languageOf)).size > 1);
  if (twice.length > 0) return twice.map((found) => ({ code: 'twice', files: found }));
  const running = files.filter((file) => !file.startsWith('verifiers.'));
  return new Set(running.map(languageOf)).size > 1 ? [{ code: 'mixed', files: running }] : [];
}

const MODULE_FILE = new RegExp(
  `^(?:${MODULE_KINDS.join('|')})(?:${EXTENSIONS.join('|').replaceAll('.', '\\.')})$`,
);

function moduleFiles(names: readonly string[]): string[] {
  return names.filter((file) => MODULE_FILE.test(file)).sort();
}

function namesIn(folder: string): readonly string[] {
  return entriesIn(folder).map(({ name }) => name);
}

function entriesIn(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Finds modules and tsconfig files, and looks at each folder once: an instance is for one run, or for one look at a workspace. */
export class ModuleFinder {
  private readonly files = new Map<string, readonly string[]>();
  private readonly modules = new Map<string, Modules>();
  private readonly links = new Set<string>();
  private readonly hasTsconfig = new Map<string, boolean>();
  private readonly tsconfigs = new Map<string, string | undefined>();
  private readonly chains = new Map<string, readonly string[]>();

  constructor(readonly root: string) {}

  /** The modules of an experiment's folder, or references to the functions that it was defined with. */
  modulesOf(folder: string, experiment: string, definition: Definition | undefined): Modules {
    return definition === undefined ? this.modulesIn(folder) : modulesOf(folder, experiment, definition);
  }

  /** @param folder absolute path */
  modulesIn(folder: string): Modules {
    const known = this.modules.get(folder);
    if (known !== undefined) return known;
    const found = modulesAmong(folder, this.filesIn(folder));
    this.modules.set(folder, found);
    return found;
  }

  /**
   * These modules, and what those of them that are links lead to in the workspace: Nx sees a change of that, and not of the link.
   *
   * @param modules absolute paths
   */
  withTargets(modules: readonly string[]): string[] {
    const mayBeLinks = modules.filter((path) => this.links.has(path) || !this.files.has(dirname(path)));
    const targets = mayBeLinks.map(targetOf).filter((path) => path !== undefined);
    return [
      ...modules,
      ...targets.filter((path) => path.startsWith(this.root + sep) && !path.includes(INSTALLED)),
    ];
  }

  /** Names of a folder's files that stand in each other's way: two languages in one experiment, or twice the same module. */
  clashesIn(folder: string): ModuleClash[] {
    return clashesAmong(this.filesIn(folder));
  }

  /** @param folder absolute path. @returns what `findTsconfig` does */
  tsconfigOf(folder: string): string | undefined {
    if (this.tsconfigs.has(folder)) return this.tsconfigs.get(folder);
    const inside = folder.startsWith(this.root) && folder !== dirname(folder);
    const found = inside
      ? this.holdsTsconfig(folder)
        ? join(folder, 'tsconfig.json')
        : this.tsconfigOf(dirname(folder))
      : findTsconfig(this.root, folder);
    this.tsconfigs.set(folder, found);
    return found;
  }

  /** What `tsconfigChain` says of the tsconfig of a folder; empty without one. */
  tsconfigFiles(folder: string): readonly string[] {
    const tsconfig = this.tsconfigOf(folder);
    if (tsconfig === undefined) return [];
    const known = this.chains.get(tsconfig) ?? tsconfigChain(this.root, tsconfig);
    this.chains.set(tsconfig, known);
    return known;
  }

  private filesIn(folder: string): readonly string[] {
    const known = this.files.get(folder);
    if (known !== undefined) return known;
    const entries = entriesIn(folder);
    const names = entries.map(({ name }) => name);
    const files = moduleFiles(names);
    this.files.set(folder, files);
    for (const entry of entries) if (entry.isSymbolicLink()) this.links.add(join(folder, entry.name));
    this.hasTsconfig.set(folder, names.includes('tsconfig.json'));
    return files;
  }

  /** A folder that was listed need not be asked again. */
  private holdsTsconfig(folder: string): boolean {
    return this.hasTsconfig.get(folder) ?? existsSync(join(folder, 'tsconfig.json'));
  }
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
