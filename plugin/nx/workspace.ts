import { join, relative, sep } from 'node:path';
import { workspaceDataDirectory } from '@nx/devkit/internal';
import { type Diagnostic, formatDiagnostic, sortDiagnostics } from '../base/diagnostics.ts';
import { sha256 } from '../base/digest.ts';
import { type ExperimentNode, referencesOf } from '../graph/graph.ts';
import { type Discovery, readExperiments } from '../io/discover.ts';
import { ImportScanner, type ReachableCode } from '../io/imports.ts';
import { findModules, findTsconfig, languageOf, type Modules, runsIn, tsconfigChain } from '../io/modules.ts';
import { versionCommand } from '../io/python.ts';
import { LOCK_GLOBS, PythonImportScanner } from '../io/python-imports.ts';
import { InferenceCache } from './cache.ts';
import { escapeGlob } from './globs.ts';
import { findIgnoredInputs } from './ignored-inputs.ts';
import { experimentFiles, type ResolvedOptions } from './options.ts';
import type { ExperimentCode } from './targets.ts';

/** Code with the globs of files that say which packages are installed for it. */
interface Reached extends ReachableCode {
  readonly locks?: readonly string[];
}

/** The experiments of an Nx workspace with the code behind each. */
export class ExperimentWorkspace {
  readonly discovery: Discovery;
  private readonly scanner: ImportScanner;
  private readonly python: PythonImportScanner;
  private readonly reached = new Map<string, Reached>();

  constructor(
    private readonly root: string,
    files: readonly string[],
    private readonly cache: InferenceCache,
    /** The plugin's choice of an interpreter. */
    private readonly pythonOption: string | undefined,
  ) {
    this.python = new PythonImportScanner(root);
    this.discovery = readExperiments(root, files, cache.configs);
    this.scanner = new ImportScanner(root, cache.imports);
  }

  static open(root: string, files: readonly string[], options: ResolvedOptions): ExperimentWorkspace {
    const path = join(workspaceDataDirectory, `nx-experiments-${sha256(root).slice(0, 16)}.json`);
    return new ExperimentWorkspace(
      root,
      experimentFiles(files, options),
      new InferenceCache(path),
      options.python,
    );
  }

  save(): void {
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
    const version = versionCommand(this.root, folder, node.config.execution.python, this.pythonOption);
    const prefix = `${escapeGlob(folder)}/`;
    return {
      shared: inputsOf(all).filter((glob) => !glob.startsWith(prefix)),
      verifiers: modules.verifiers === undefined ? [] : inputsOf(this.scan(node, [modules.verifiers])),
      loaders: new Map(toLoad.map((name) => [name, foreign.has(name) ? [] : this.loaderCode(name)])),
      technologies: technologiesOf(modules),
      foreign,
      python: {
        replicates: runsIn(modules) === 'python' ? version : undefined,
        verifiers: isPython(modules.verifiers) ? version : undefined,
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
    return findModules(join(this.root, node.config.folder));
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
    const { files, imports } = this.python.reach(python, folder);
    return {
      ...typed,
      files: [...typed.files, ...files],
      imports: [...typed.imports, ...imports],
      locks: this.python.searchPath(folder).flatMap((at) => {
        const place = relative(this.root, at).split(sep).join('/');
        return LOCK_GLOBS.map((name) => (place === '' ? name : `${escapeGlob(place)}/${name}`));
      }),
    };
  }

  private scanTyped(node: ExperimentNode, entries: readonly string[]): Reached {
    const tsconfig = findTsconfig(this.root, join(this.root, node.config.folder));
    const code = this.scanner.reach(entries, tsconfig);
    // Its `paths` decide what an import means.
    const files =
      tsconfig === undefined ? code.files : [...code.files, ...tsconfigChain(this.root, tsconfig)];
    return { ...code, files };
  }
}

function inputsOf({ files, folders, locks = [] }: Reached): string[] {
  return [...files.map(escapeGlob), ...folders.map((folder) => `${escapeGlob(folder)}/**/*`), ...locks];
}

function technologiesOf(modules: Modules): string[] {
  const used = Object.values(modules).filter((module) => module !== undefined);
  if (used.some(isPython)) return ['python'];
  return [used.some((module) => /\.m?ts$/.test(module)) ? 'typescript' : 'javascript'];
}

function isPython(module: string | undefined): boolean {
  return module !== undefined && languageOf(module) === 'python';
}
