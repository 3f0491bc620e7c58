import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Diagnostic, formatDiagnostic, sortDiagnostics } from '../base/diagnostics.ts';
import { SettingsError } from '../base/settings-error.ts';
import type { ExperimentConfig } from '../config/config.ts';
import { parseConfig } from '../config/parse.ts';
import type { Graph } from '../graph/graph.ts';
import { resolveGraph } from '../graph/resolve.ts';
import { readConfigText } from '../io/discover.ts';
import type { InferenceCache } from '../nx/cache.ts';
import type { DefinedFunctions } from '../runtime/definitions.ts';

/** An experiment that was defined in code. */
interface DefinedOrigin {
  readonly type: 'defined';
  readonly name: string;
  readonly config: ExperimentConfig;
  readonly text: string;
  readonly functions: DefinedFunctions;
  readonly folder: string | undefined;
  readonly upstream: readonly ExperimentOrigin[];
}

/** What was parsed, so that the next process need not. */
export interface ParsedConfigs {
  readonly cache: InferenceCache;
  /** Folder of the store that it lies beside; undefined: somebody else keeps it. */
  readonly keptIn: string | undefined;
}

/** An experiment of a folder, among others of one root. */
interface FolderOrigin {
  readonly type: 'folder';
  readonly name: string;
  readonly root: string;
  readonly graph: Graph;
  readonly parsed?: ParsedConfigs | undefined;
}

export type ExperimentOrigin = DefinedOrigin | FolderOrigin;

/** Experiments that run together. */
export interface ResolvedExperiments {
  /** Absolute path that folders are relative to. */
  readonly root: string;
  /** The root whose installed packages are used. Default: the same. */
  readonly installedAt?: string;
  readonly graph: Graph;
  readonly parsed?: ParsedConfigs | undefined;
  /** Of the experiments that were defined in code. */
  readonly functions: ReadonlyMap<string, DefinedFunctions>;
}

/** @throws SettingsError with every problem of the configuration */
export function defineOrigin(
  options: { readonly name: string; readonly folder?: string; readonly module?: string },
  defined: Pick<DefinedOrigin, 'text' | 'functions' | 'upstream'> & { readonly bareSource: boolean },
): ExperimentOrigin {
  const { text, functions, upstream, bareSource } = defined;
  const file = `defineExperiment(${JSON.stringify(options.name)})`.replaceAll('/', '∕');
  const parsed = parseConfig(file, text);
  if (!parsed.ok) throw settingsError(parsed.diagnostics, new Map([[file, text]]));
  const module = options.module?.startsWith('file:') ? fileURLToPath(options.module) : options.module;
  const config = { ...parsed.value, definition: { module, bareSource } };
  return { type: 'defined', name: options.name, config, text, functions, folder: options.folder, upstream };
}

/** Connects experiments with all that they read. @throws SettingsError with every problem */
export function resolveOrigins(origins: readonly ExperimentOrigin[]): ResolvedExperiments {
  const all = withUpstream(origins);
  const roots = new Set(all.flatMap((origin) => (origin.type === 'folder' ? [origin.root] : [])));
  if (roots.size > 1) {
    throw new SettingsError(
      `Experiments of several workspaces cannot run together: ${[...roots].join(', ')}.`,
    );
  }
  const [root = process.cwd()] = roots;
  const whole = wholeGraph(all);
  if (whole !== undefined) return { root, ...whole, functions: new Map() };
  const texts = new Map<string, string>();
  const configs = new Map<unknown, ExperimentConfig>();
  const functions = new Map<string, DefinedFunctions>();
  for (const origin of all) {
    if (origin.type === 'folder') {
      for (const { config } of withoutDownstream(origin)) configs.set(config.file, config);
      continue;
    }
    const absolute = resolve(root, origin.folder ?? `experiments/${origin.name}`);
    const folder = relative(root, absolute).split(sep).join('/') || '.';
    configs.set(origin, { ...origin.config, folder });
    texts.set(origin.config.file, origin.text);
    functions.set(origin.name, origin.functions);
  }
  const { graph, diagnostics } = resolveGraph([...configs.values()]);
  if (diagnostics.length > 0) {
    for (const { file, definition } of configs.values())
      if (definition === undefined) texts.set(file, readConfigText(join(root, file)));
    throw settingsError(diagnostics, texts);
  }
  refuseSharedFolders([...configs.values()]);
  return { root, graph, functions };
}

/** The results of one would lie where those of the other do, and be read in their place. */
function refuseSharedFolders(configs: readonly ExperimentConfig[]): void {
  const owners = new Map<string, string>();
  for (const { folder, name } of configs) {
    const owner = owners.get(folder);
    owners.set(folder, name.value);
    if (owner === undefined) continue;
    throw new SettingsError(
      `The experiments "${owner}" and "${name.value}" have one folder, "${folder}": the results of one would replace those of the other. Give each a "folder" of its own.`,
    );
  }
}

/** The graph that these are all of: it is resolved already. */
function wholeGraph(
  origins: readonly ExperimentOrigin[],
): Pick<ResolvedExperiments, 'graph' | 'parsed'> | undefined {
  const [first] = origins;
  if (first?.type !== 'folder') return undefined;
  const { graph, parsed } = first;
  const names = new Set<string>();
  for (const origin of origins) {
    if (origin.type !== 'folder' || origin.graph !== graph) return undefined;
    names.add(origin.name);
  }
  return names.size === graph.experiments.size ? { graph, parsed } : undefined;
}

/** How many replicates each condition of an experiment runs. */
export function replicatesOf(origin: ExperimentOrigin): number {
  const { graph } = origin.type === 'folder' ? origin : resolveOrigins([origin]);
  return graph.experiments.get(origin.name)?.replicates ?? 1;
}

export function settingsError(
  diagnostics: readonly Diagnostic[],
  texts: ReadonlyMap<string, string>,
): SettingsError {
  const rendered = sortDiagnostics(diagnostics).map((d) => formatDiagnostic(d, (file) => texts.get(file)));
  return new SettingsError(rendered.join('\n\n'));
}

function withUpstream(origins: readonly ExperimentOrigin[]): ExperimentOrigin[] {
  const found = new Set<ExperimentOrigin>();
  const visit = (origin: ExperimentOrigin): void => {
    if (found.has(origin)) return;
    found.add(origin);
    if (origin.type === 'defined') origin.upstream.forEach(visit);
  };
  origins.forEach(visit);
  return [...found];
}

/** The experiment of a folder and those that it reads, directly or not. */
function withoutDownstream({ name, graph }: FolderOrigin): { readonly config: ExperimentConfig }[] {
  const found = new Map<string, { readonly config: ExperimentConfig }>();
  const visit = (wanted: string): void => {
    const node = graph.experiments.get(wanted);
    if (node === undefined || found.has(wanted)) return;
    found.set(wanted, node);
    node.upstream.forEach(visit);
  };
  visit(name);
  return [...found.values()];
}
