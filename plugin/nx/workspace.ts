import { join } from 'node:path';
import { workspaceDataDirectory } from '@nx/devkit/internal';
import { type Diagnostic, formatDiagnostic, sortDiagnostics } from '../base/diagnostics.ts';
import { sha256 } from '../base/digest.ts';
import { type ExperimentNode, referencesOf } from '../graph/graph.ts';
import { type Discovery, readExperiments } from '../io/discover.ts';
import { ImportScanner, type ReachableCode } from '../io/imports.ts';
import { findModules, findTsconfig, type Modules, tsconfigChain } from '../io/modules.ts';
import { InferenceCache } from './cache.ts';
import { escapeGlob } from './globs.ts';
import { findIgnoredInputs } from './ignored-inputs.ts';
import { experimentFiles, type ResolvedOptions } from './options.ts';
import type { ExperimentCode } from './targets.ts';

/** The experiments of an Nx workspace with the code behind each. */
export class ExperimentWorkspace {
  readonly discovery: Discovery;
  private readonly scanner: ImportScanner;
  private readonly reached = new Map<string, ReachableCode>();

  constructor(
    private readonly root: string,
    files: readonly string[],
    private readonly cache: InferenceCache,
  ) {
    this.discovery = readExperiments(root, files, cache.configs);
    this.scanner = new ImportScanner(root, cache.imports);
  }

  static open(root: string, files: readonly string[], options: ResolvedOptions): ExperimentWorkspace {
    const path = join(workspaceDataDirectory, `nx-experiments-${sha256(root).slice(0, 16)}.json`);
    return new ExperimentWorkspace(root, experimentFiles(files, options), new InferenceCache(path));
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
    const prefix = `${escapeGlob(folder)}/`;
    return {
      shared: inputsOf(all).filter((glob) => !glob.startsWith(prefix)),
      verifiers: modules.verifiers === undefined ? [] : inputsOf(this.scan(node, [modules.verifiers])),
      loaders: new Map(toLoad.map((name) => [name, this.loaderCode(name)])),
      technologies: technologiesOf(modules),
    };
  }

  /** Imports that leave an experiment's folder. */
  importsOf(node: ExperimentNode): ReachableCode['imports'] {
    const prefix = `${node.config.folder}/`;
    return this.reach(node, this.modulesOf(node)).imports.filter(
      ({ from, to }) => from.startsWith(prefix) && !to.startsWith(prefix),
    );
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

  private reach(node: ExperimentNode, modules: Modules): ReachableCode {
    const known = this.reached.get(node.name);
    if (known !== undefined) return known;
    const found = this.scan(
      node,
      Object.values(modules).filter((module) => module !== undefined),
    );
    this.reached.set(node.name, found);
    return found;
  }

  private scan(node: ExperimentNode, entries: readonly string[]): ReachableCode {
    const tsconfig = findTsconfig(this.root, join(this.root, node.config.folder));
    const code = this.scanner.reach(entries, tsconfig);
    // Its `paths` decide what an import means.
    const files =
      tsconfig === undefined ? code.files : [...code.files, ...tsconfigChain(this.root, tsconfig)];
    return { ...code, files };
  }
}

function inputsOf({ files, folders }: ReachableCode): string[] {
  return [...files.map(escapeGlob), ...folders.map((folder) => `${escapeGlob(folder)}/**/*`)];
}

function technologiesOf(modules: Modules): string[] {
  const typed = Object.values(modules).some((module) => module !== undefined && /\.m?ts$/.test(module));
  return [typed ? 'typescript' : 'javascript'];
}
