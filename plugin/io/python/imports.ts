import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { compareText } from '../../base/diagnostics.ts';
import type { FileStates } from '../changes/file-states.ts';
import type { ReachableCode } from '../code/imports.ts';
import { targetOf } from '../code/linked.ts';
import { EditableInstallations } from './editable-installations.ts';

/** A folder with one of these is where a Python project's own imports start. The worker's search path says the same. */
const PROJECT_FILES = ['pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt'];

/** Files that say which packages are installed, in an experiment's folder, its Python project's or the root. */
const LOCK_FILES =
  /^(?:requirements[\w.-]*\.txt|pyproject\.toml|(?:poetry|uv|pdm)\.lock|Pipfile(?:\.lock)?|environment\.ya?ml|conda-lock\.yml|\.python-version)$/;

/** As globs for Nx, which hashes them also when they are only added later. */
export const LOCK_GLOBS = [
  'requirements*.txt',
  'pyproject.toml',
  '{poetry,uv,pdm}.lock',
  'Pipfile',
  'Pipfile.lock',
  'environment.{yml,yaml}',
  'conda-lock.yml',
  '.python-version',
];

export interface PythonCode extends ReachableCode {
  /** Names of imported modules that are none of the workspace, without what follows the first dot. */
  readonly packages: readonly string[];
}

interface Import {
  /** Dots in front of a relative import. */
  readonly level: number;
  readonly module: string;
  /** What a `from` import takes, each of which may be a module. */
  readonly names: readonly string[];
}

/** Follows the imports of Python modules through the workspace. Nothing is executed. */
export class PythonImportScanner {
  private readonly parsed = new Map<string, readonly Import[]>();
  private readonly editable: EditableInstallations;

  /** @param states is told of each module before it is read */
  constructor(
    private readonly root: string,
    private readonly states?: FileStates,
  ) {
    this.editable = new EditableInstallations(root);
  }

  /**
   * @param entries absolute paths of modules
   * @param folder of the experiment, absolute
   * @param places where its interpreter looks for packages, absolute
   */
  reach(entries: readonly string[], folder: string, places: readonly string[] = []): PythonCode {
    const path = [...this.searchPath(folder), ...this.editable.folders(places)];
    const files = new Set<string>();
    const packages = new Set<string>();
    const imports: { from: string; to: string }[] = [];
    const waiting = [...entries, ...this.packagesAround(folder)];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (files.has(this.relative(file))) continue;
      files.add(this.relative(file));
      // Nx sees a change of what a link leads to, and not of the link.
      const target = targetOf(file);
      if (target?.startsWith(this.root + sep)) files.add(this.relative(target));
      for (const found of this.importsOf(file)) {
        const targets = this.resolve(found, file, path);
        if (targets.length === 0 && found.level === 0) packages.add(found.module.split('.')[0] ?? '');
        for (const target of targets) {
          imports.push({ from: this.relative(file), to: this.relative(target) });
          waiting.push(target);
        }
      }
    }
    const sorted = (items: Iterable<string>): string[] => [...items].sort(compareText);
    return { files: sorted(files), folders: [], installed: [], imports, packages: sorted(packages) };
  }

  /** An experiment's folder, its Python project, the workspace: imports look there, and packages are pinned there. */
  projectFolders(folder: string): string[] {
    const found = [folder];
    for (let at = dirname(folder); at.startsWith(this.root + sep); at = dirname(at)) {
      if (isProject(at)) {
        found.push(at);
        break;
      }
    }
    return [...found, this.root];
  }

  /** Modules are loaded as parts of the packages that their folder lies in. */
  private packagesAround(folder: string): string[] {
    const found: string[] = [];
    for (let at = folder; at.startsWith(this.root + sep); at = dirname(at))
      found.push(join(at, '__init__.py'));
    return found.filter((file) => existsSync(file));
  }

  /** Where imports look in the workspace; in the `src` of a project too, where an editable installation would find it. */
  private searchPath(folder: string): string[] {
    const folders = this.projectFolders(folder);
    const sources = folders.filter(isProject).map((at) => join(at, 'src'));
    return [...folders, ...sources.filter(isDirectory)];
  }

  /** Files that say which packages are installed, relative to the root. */
  lockFiles(folder: string): string[] {
    return this.projectFolders(folder).flatMap((at) =>
      namesIn(at)
        .filter((name) => LOCK_FILES.test(name))
        .map((name) => this.relative(join(at, name))),
    );
  }

  private importsOf(file: string): readonly Import[] {
    const known = this.parsed.get(file);
    if (known !== undefined) return known;
    let text = '';
    this.states?.note(file);
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      // It is gone, which the digest of it will say.
    }
    const found = parseImports(text);
    this.parsed.set(file, found);
    return found;
  }

  /** The files that an import may execute: the module, the packages around it, and modules among the names it takes. */
  private resolve({ level, module, names }: Import, from: string, path: readonly string[]): string[] {
    let bases = path;
    if (level > 0) {
      let base = dirname(from);
      for (let up = 1; up < level; up++) base = dirname(base);
      bases = [base];
    }
    const parts = module === '' ? [] : module.split('.');
    let without: string[] = [];
    for (const base of bases) {
      const found = this.walk(base, parts, names);
      const [first = ''] = found;
      const top = join(base, parts[0] ?? '');
      if (level > 0 || first === `${top}.py` || first === join(top, '__init__.py')) return found;
      // A folder without __init__.py counts where no place has a package of that name.
      if (without.length === 0) without = found;
    }
    return without;
  }

  private walk(base: string, parts: readonly string[], names: readonly string[]): string[] {
    const found: string[] = [];
    let at = base;
    for (const [i, part] of parts.entries()) {
      at = join(at, part);
      const module = `${at}.py`;
      const isFolder = isDirectory(at);
      if (isFolder && existsSync(join(at, '__init__.py'))) found.push(join(at, '__init__.py'));
      else if (existsSync(module)) return i === parts.length - 1 ? [...found, module] : found;
      else if (!isFolder) return found;
    }
    for (const name of names) {
      const module = join(at, `${name}.py`);
      const inside = join(at, name, '__init__.py');
      if (existsSync(module)) found.push(module);
      else if (existsSync(inside)) found.push(inside);
    }
    return found;
  }

  private relative(path: string): string {
    return relative(this.root, path).split(sep).join('/');
  }
}

/** The import statements of a source text. Those inside of strings are taken for real ones, which only adds files. */
export function parseImports(text: string): Import[] {
  const found: Import[] = [];
  const joined = text
    .replace(/\r\n?/g, '\n')
    .replace(/\\\n|[\t\f]/g, ' ')
    .replace(
      /((?:^|[;:]) *from\b[\p{L}\p{N}_. ]*\bimport) *\(((?:#.*\n|[^#)])*)\)/gmu,
      (_, head: string, names: string) => `${head} ${names.replace(/#.*$/gm, '').replace(/\s+/g, ' ')}`,
    );
  for (const [, statement = ''] of joined.matchAll(/(?:^|[;:]) *((?:from|import)\b[^;#\n]*)/gm)) {
    const [, dots, module = '', names = ''] =
      /^from *(\.*) *([\p{L}\p{N}_.]*) *\bimport\b(.*)$/u.exec(statement) ?? [];
    if (dots !== undefined) {
      found.push({ level: dots.length, module, names: names.split(',').map(firstWord).filter(Boolean) });
      continue;
    }
    const modules = /^import (.*)$/.exec(statement)?.[1] ?? '';
    for (const name of modules.split(',').map(firstWord)) {
      if (name !== '') found.push({ level: 0, module: name, names: [] });
    }
  }
  return found;
}

/** `a.b as c` -> `a.b` */
function firstWord(text: string): string {
  return /^[\p{L}\p{N}_.]+/u.exec(text.trim())?.[0] ?? '';
}

function isProject(folder: string): boolean {
  return PROJECT_FILES.some((name) => existsSync(join(folder, name)));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
