import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path';
import type { Diagnostic, Span } from '../base/diagnostics.ts';
import { SettingsError } from '../base/settings-error.ts';
import type { Claims } from '../config/parse.ts';
import { referencesOf } from '../graph/graph.ts';
import { findModules, languageOf } from '../io/code/modules.ts';
import { nearestWith } from '../io/code/nearest.ts';
import { importsSomething, isSelfContained } from '../io/code/self-contained.ts';
import { type Discovery, readExperiments } from '../io/discover.ts';
import { CONFIG_FILE, findConfigs } from '../io/find-configs.ts';
import { InferenceCache } from '../nx/cache.ts';
import { fromNxJson } from '../nx/nx-json.ts';
import { experimentFilesOf } from '../nx/options.ts';
import { beginThread } from '../workers/thread-start.ts';
import { type ExperimentOrigin, type ParsedConfigs, settingsError } from './origin.ts';
import { storeOf } from './settings-of.ts';

/**
 * The experiments that a path stands for: that of a config.yaml or of its folder, else all below the folder.
 *
 * @throws SettingsError with every problem of these experiments and of those that they read
 */
export function findExperiments(path: string): ExperimentOrigin[] {
  const absolute = resolve(path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats === undefined) throw new SettingsError(`There is no "${path}".`);
  const folder = stats.isFile() ? dirname(absolute) : absolute;
  if (stats.isFile() && !CONFIG_FILE.test(basename(absolute))) {
    throw new SettingsError(`"${path}" is no config.yaml.`);
  }
  const own = ['config.yaml', 'config.yml'].find((name) => existsSync(join(folder, name)));
  const asGiven = rootOf(folder, own !== undefined);
  const inside = relative(asGiven, folder).split(sep).join('/');
  // Imports are resolved to what links lead to: shared code would be outside of a root that is given by a link.
  const root = realpathSync(asGiven);
  const prefix = inside === '' ? '' : `${inside}/`;
  const all = configsOf(root);
  const wanted = own === undefined ? all.filter((file) => file.startsWith(prefix)) : [`${prefix}${own}`];
  if (wanted.length === 0) throw new SettingsError(`There is no config.yaml in "${path}" or below it.`);
  const files = [...new Set([...all, ...wanted])].sort();
  foreseeRun(root, wanted[0] as string);
  const parsed = parsedBefore(root);
  const discovery = readExperiments(root, files, parsed?.cache.configs);
  const { graph, texts } = discovery;
  const problems = problemsOf(discovery, wanted);
  if (problems.length > 0) throw settingsError(problems, texts);
  const names = [...graph.experiments.values()].flatMap(({ name, config }) =>
    wanted.includes(config.file) ? [name] : [],
  );
  return names.map((name) => ({ type: 'folder', name, root, graph, parsed }));
}

/** What is wrong with these experiments and those that they read: others of the workspace stop nobody. */
function problemsOf(
  { diagnostics, configs, broken }: Discovery,
  wanted: readonly string[],
): readonly Diagnostic[] {
  if (diagnostics.length === 0) return diagnostics;
  const all = [
    ...configs.map((config) => ({
      file: config.file,
      name: config.name.value,
      references: referencesOf(config),
    })),
    ...broken,
  ];
  const byName = new Map<string, Claims[]>();
  for (const claims of all) byName.set(claims.name, [...(byName.get(claims.name) ?? []), claims]);
  const read = new Set<string>();
  const visit = ({ file, references }: Claims): void => {
    const folder = posix.dirname(file);
    if (read.has(folder)) return;
    read.add(folder);
    for (const { experiment } of references) byName.get(experiment)?.forEach(visit);
  };
  all.filter(({ file }) => wanted.includes(file)).forEach(visit);
  const concerns = ({ file }: Span): boolean => read.has(posix.dirname(file));
  return diagnostics.filter(
    ({ code, at, related = [] }) =>
      concerns(at) ||
      // It is told at the first of them, which may be none of these.
      (code === 'graph/duplicate-experiment' && related.some((other) => concerns(other.at))),
  );
}

/** Where nothing was kept yet, a run needs a thread, unless its code asks for a process. A guess: what is wrong is said elsewhere. */
function foreseeRun(root: string, first: string): void {
  try {
    const { folder } = storeOf(root, undefined);
    if (folder === undefined || existsSync(folder)) return;
    const { steps } = findModules(join(root, dirname(first)));
    if (steps === undefined || languageOf(steps) !== 'node') return;
    const text = readFileSync(steps, 'utf8');
    if (!importsSomething(text) && isSelfContained(text, { exact: [], prefix: [] })) beginThread();
  } catch {
    // Nothing is foreseen.
  }
}

/** The workspace or repository that holds a folder; else the folder that holds the experiments. */
function rootOf(folder: string, isExperiment: boolean): string {
  const holder = nearestWith('nx.json', folder) ?? nearestWith('.git', folder);
  return holder ?? (isExperiment ? dirname(folder) : folder);
}

/** What inference keeps of an Nx workspace; elsewhere what a run has left beside its store. */
function parsedBefore(root: string): ParsedConfigs | undefined {
  if (existsSync(join(root, 'nx.json'))) return { cache: InferenceCache.of(root), keptIn: undefined };
  const { folder } = storeOf(root, undefined);
  if (folder === undefined) return undefined;
  return { cache: new InferenceCache(join(folder, 'parsed.json')), keptIn: folder };
}

/** In an Nx workspace those that the plugin takes for experiments. */
function configsOf(root: string): string[] {
  const found = findConfigs(root);
  if (!existsSync(join(root, 'nx.json'))) return found;
  return fromNxJson(root, (nxJson) => experimentFilesOf(nxJson, found));
}
