import type { NxJsonConfiguration } from '@nx/devkit';
import { formatDiagnostic, sortDiagnostics } from '../base/diagnostics.ts';
import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { chosenConditions } from '../graph/conditions.ts';
import type { Graph } from '../graph/graph.ts';
import { nearestWith } from '../io/code/nearest.ts';
import { readExperiments } from '../io/discover.ts';
import { findConfigs } from '../io/find-configs.ts';
import { Interpreters } from '../io/python/interpreter.ts';
import { fromNxJson } from '../nx/nx-json.ts';
import { experimentFilesOf, pluginOptions, resolveOptions } from '../nx/options.ts';
import { resolveStore, type StoreOptions } from '../nx/store-options.ts';
import { type ConditionRef, withUpstream } from '../runtime/plan.ts';

/** A workspace as the command line sees it. */
export interface CommandWorkspace {
  readonly root: string;
  readonly store: StoreOptions;
}

/** The nearest folder upwards that has an nx.json, else the folder itself. @throws SettingsError */
export function openWorkspace(cwd: string): CommandWorkspace & { readonly nxJson: NxJsonConfiguration } {
  const root = nearestWith('nx.json', cwd) ?? cwd;
  return fromNxJson(root, (nxJson) => ({
    root,
    nxJson,
    store: resolveStore(root, pluginOptions(nxJson), process.env),
  }));
}

export interface GraphWorkspace extends CommandWorkspace {
  readonly graph: Graph;
  readonly interpreters: Interpreters;
}

/** The graph of a workspace's experiments. @throws SettingsError with every problem of every config */
export function readGraph(cwd: string): GraphWorkspace {
  const { root, nxJson, store } = openWorkspace(cwd);
  const options = resolveOptions(pluginOptions(nxJson));
  const files = experimentFilesOf(nxJson, findConfigs(root));
  const { graph, diagnostics, texts } = readExperiments(root, files);
  if (diagnostics.length > 0) {
    const rendered = sortDiagnostics(diagnostics).map((d) => formatDiagnostic(d, (file) => texts.get(file)));
    throw new SettingsError(rendered.join('\n\n'));
  }
  return { root, store, graph, interpreters: new Interpreters(root, options.python) };
}

/** @throws SettingsError for an unknown name */
export function checkExperiments(graph: Graph, names: readonly string[]): void {
  for (const name of names) {
    if (graph.experiments.has(name)) continue;
    throw new SettingsError(
      `There is no experiment "${name}". ${suggestion(name, [...graph.order].sort(), 'experiments')}`,
    );
  }
}

/**
 * The conditions of these experiments, or of all, with all that they read.
 *
 * @param treatments only these beside the baseline; undefined: all
 * @throws SettingsError for an unknown name
 */
export function selectConditions(
  graph: Graph,
  names: readonly string[],
  treatments?: readonly string[],
): ConditionRef[] {
  checkExperiments(graph, names);
  const experiments = names.length > 0 ? names : graph.order;
  const wanted = experiments.flatMap((experiment) =>
    chosenConditions(graph, experiment, treatments).map((condition) => ({ experiment, condition })),
  );
  return withUpstream(graph, wanted);
}
