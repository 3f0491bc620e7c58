import { join, relative, sep } from 'node:path';
import { type Diagnostic, formatDiagnostic, sortDiagnostics } from '../base/diagnostics.ts';
import { type ExperimentNode, referencesOf } from '../graph/graph.ts';
import { ImportScanner, type ReachableCode } from '../io/code/imports.ts';
import { languageOf, ModuleFinder, type Modules, runsIn } from '../io/code/modules.ts';
import { type Discovery, readExperiments } from '../io/discover.ts';
import { packagesBeside } from '../io/python/editable-installations.ts';
import { LOCK_GLOBS, PythonImportScanner } from '../io/python/imports.ts';
import { choosePython, environmentCommand } from '../io/python/interpreter.ts';
import { InferenceCache } from './cache.ts';
import { escapeGlob } from './globs.ts';
import { findIgnoredInputs } from './ignored-inputs.ts';
import { experimentFiles, type ResolvedOptions } from './options.ts';
import type { ExperimentCode } from './targets.ts';

/** Code with the globs of files that say which packages are installed for it. */
interface Reached extends ReachableCode {
  readonly locks?: readonly string[];
}

let lastSeen: { readonly key: string; readonly workspace: ExperimentWorkspace } | undefined;

/** The experiments of an Nx workspace with the code behind each. */
export class ExperimentWorkspace {
  readonly discovery: Discovery;
  private readonly scanner: ImportScanner;
  private readonly python: PythonImportScanner;
  private readonly finder: ModuleFinder;
  private readonly reached = new Map<string, Reached>();

  constructor(
    private readonly root: string,
    files: readonly string[],
    private readonly cache: InferenceCache,
    /** The plugin's choice of an interpreter. */
    private readonly pythonOption: string | undefined,
  ) {
    this.python = new PythonImportScanner(root);
    this.finder = new ModuleFinder(root);
    this.discovery = readExperiments(root, files, cache.configs, this.finder);
    this.scanner = new ImportScanner(root, cache.imports);
  }

  static open(root: string, files: readonly string[], options: ResolvedOptions): ExperimentWorkspace {
    return new ExperimentWorkspace(
      root,
      experimentFiles(files, options),
      InferenceCache.of(root),
      options.python,
    );
  }

  /**
   * The workspace as `createNodes` of the same graph has just seen it, when that was in this process: the edges then belong to
   * the projects, and no file is read twice. It is handed out once; anything else is read anew.
   */
  static resume(root: string, files: readonly string[], options: ResolvedOptions): ExperimentWorkspace {
    const seen = lastSeen;
    lastSeen = undefined;
    if (seen !== undefined && seen.key === keyOf(root, files, options)) return seen.workspace;
    return ExperimentWorkspace.open(root, files, options);
  }

  /** Keeps what was parsed, on the disk and for `resume`. */
  save(files: readonly string[], options: ResolvedOptions): void {
    lastSeen = { key: keyOf(this.root, files, options), workspace: this };
    this.cache.save();
  }

  /** Rendered problems by config file. */
  async problems(): Promise<Map<string, string>> {
    const { graph, diagnostics, texts } = this.discovery;
    const ignored = await findIgnoredInputs(this.root, graph.experiments.values());
    const byFile = new Map<string, Diagnostic[]>();
    for (const diagnostic of sortDiagnostics([...diagnostics, ...ignored])) {
      byFile.set(diagnostic.at.file, [...(byFile.get(diagnostic.at.file) ?? []), diagnostic]);
    }
    const render = (found: Diagnostic[]): string =>
      found.map((diagnostic) => formatDiagnostic(diagnostic, (file) => texts.get(file))).join('\n\n');
    return new Map([...byFile].map(([file, found]) => [file, render(found)]));
  }

  codeOf(node: ExperimentNode): ExperimentCode {
    const modules = this.modulesOf(node);
    const { folder } = node.config;
    const all = this.reach(node, modules);
    const toLoad = [...new Set(referencesOf(node.config).map((reference) => reference.experiment))];
    const foreign = new Set(toLoad.filter((name) => this.isForeign(name, modules)));
    const environment = (): string =>
      environmentCommand(this.root, folder, node.config.execution.python, this.pythonOption);
    return {
      shared: inputsOf(all).filter((glob) => !isOwn(glob, folder)),
      verifiers: modules.verifiers === undefined ? [] : inputsOf(this.scan(node, [modules.verifiers])),
      loaders: new Map(toLoad.map((name) => [name, foreign.has(name) ? [] : this.loaderCode(name)])),
      technologies: technologiesOf(modules),
      foreign,
      python: {
        replicates: runsIn(modules) === 'python' ? environment() : undefined,
        verifiers: isPython(modules.verifiers) ? environment() : undefined,
      },
    };
  }

  /** Imports that leave an experiment's folder. */
  importsOf(node: ExperimentNode): ReachableCode['imports'] {
    const prefix = `${node.config.folder}/`;
    return this.reach(node, this.modulesOf(node)).imports.filter(
      ({ from, to }) => from.startsWith(prefix) && !to.startsWith(prefix),
    );
  }

  private isForeign(upstream: string, own: Modules): boolean {
    const node = this.discovery.graph.experiments.get(upstream);
    const outputs = node && this.modulesOf(node).outputs;
    return outputs !== undefined && languageOf(outputs) !== runsIn(own);
  }

  private loaderCode(name: string): string[] {
    const upstream = this.discovery.graph.experiments.get(name);
    if (upstream === undefined) return [];
    const { outputs } = this.modulesOf(upstream);
    // A missing outputs module may be added, and then its loaders go before the built-in ones.
    if (outputs === undefined) return [`${escapeGlob(upstream.config.folder)}/outputs.*`];
    return inputsOf(this.scan(upstream, [outputs]));
  }

  private modulesOf(node: ExperimentNode): Modules {
    return this.finder.modulesIn(join(this.root, node.config.folder));
  }

  private reach(node: ExperimentNode, modules: Modules): Reached {
    const known = this.reached.get(node.name);
    if (known !== undefined) return known;
    const found = this.scan(
      node,
      Object.values(modules).filter((module) => module !== undefined),
    );
    this.reached.set(node.name, found);
    return found;
  }

  private scan(node: ExperimentNode, entries: readonly string[]): Reached {
    const folder = join(this.root, node.config.folder);
    const python = entries.filter(isPython);
    const typed = this.scanTyped(
      node,
      entries.filter((entry) => !isPython(entry)),
    );
    if (python.length === 0) return typed;
    const { command } = choosePython(
      this.root,
      node.config.folder,
      node.config.execution.python,
      this.pythonOption,
    );
    const { files, imports } = this.python.reach(python, folder, packagesBeside(command));
    return {
      ...typed,
      files: [...typed.files, ...files],
      imports: [...typed.imports, ...imports],
      locks: this.python.projectFolders(folder).flatMap((at) => {
        const place = relative(this.root, at).split(sep).join('/');
        return LOCK_GLOBS.map((name) => (place === '' ? name : `${escapeGlob(place)}/${name}`));
      }),
    };
  }

  private scanTyped(node: ExperimentNode, entries: readonly string[]): Reached {
    const folder = join(this.root, node.config.folder);
    const code = this.scanner.reach(this.finder.withTargets(entries), this.finder.tsconfigOf(folder));
    // Its `paths` decide what an import means.
    return { ...code, files: [...code.files, ...this.finder.tsconfigFiles(folder)] };
  }
}

function keyOf(root: string, files: readonly string[], options: ResolvedOptions): string {
  return JSON.stringify([root, options, [...files].sort()]);
}

function inputsOf({ files, folders, locks = [] }: Reached): string[] {
  return [...files.map(escapeGlob), ...folders.map((folder) => `${escapeGlob(folder)}/**/*`), ...locks];
}

/** What stands beside the config file; a folder below may be a project of its own, whose files Nx counts there alone. */
function isOwn(glob: string, folder: string): boolean {
  const prefix = `${escapeGlob(folder)}/`;
  if (!glob.startsWith(prefix)) return false;
  const place = glob.slice(prefix.length);
  return place === '**/*' || !place.includes('/');
}

function technologiesOf(modules: Modules): string[] {
  const used = Object.values(modules).filter((module) => module !== undefined);
  if (used.some(isPython)) return ['python'];
  return [used.some((module) => /\.m?ts$/.test(module)) ? 'typescript' : 'javascript'];
}

function isPython(module: string | undefined): boolean {
  return module !== undefined && languageOf(module) === 'python';
}
