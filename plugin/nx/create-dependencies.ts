import type { CreateDependenciesContext, RawProjectGraphDependency } from '@nx/devkit';
import { referencesOf } from '../graph/graph.ts';
import { experimentFiles, resolveOptions } from './options.ts';
import type { PluginOptions } from './plugin-options.ts';
import { isOurs } from './targets.ts';
import { ExperimentWorkspace } from './workspace.ts';

/** `DependencyType.static` without loading the devkit for it. */
const STATIC = 'static' as RawProjectGraphDependency['type'];

/** Edges between projects: experiment -> upstream experiment, and experiment -> shared code. */
export function inferDependencies(
  rawOptions: PluginOptions,
  context: CreateDependenciesContext,
): RawProjectGraphDependency[] {
  const options = resolveOptions(rawOptions);
  const projectAt = new Map(Object.entries(context.projects).map(([name, { root }]) => [root, name]));
  const files: string[] = [];
  for (const [root, name] of projectAt) {
    // Nx may also have kept a config file from the plugin: "exclude" of its entry in nx.json.
    if (!isOurs(context.projects[name] ?? {})) continue;
    const prefix = root === '.' ? '' : `${root}/`;
    const [yaml, yml] = [`${prefix}config.yaml`, `${prefix}config.yml`];
    for (const { file } of context.fileMap.projectFileMap[name] ?? [])
      if (file === yaml || file === yml) files.push(file);
  }
  const workspace = ExperimentWorkspace.resume(
    context.workspaceRoot,
    experimentFiles(files, options),
    options,
  );
  const { experiments } = workspace.discovery.graph;
  const edges = new Map<string, RawProjectGraphDependency>();
  const add = (source: string | undefined, target: string | undefined, sourceFile: string): void => {
    if (source === undefined || target === undefined || source === target) return;
    edges.set(`${source}\0${target}\0${sourceFile}`, {
      source,
      target,
      sourceFile,
      type: STATIC,
    });
  };
  for (const node of experiments.values()) {
    const source = projectAt.get(node.config.folder);
    for (const { experiment } of referencesOf(node.config)) {
      const upstream = experiments.get(experiment);
      add(source, upstream && projectAt.get(upstream.config.folder), node.config.file);
    }
    for (const { from, to } of workspace.importsOf(node)) add(source, ownerOf(to, projectAt), from);
  }
  return [...edges.values()];
}

/** The project with the deepest root that holds a file. */
function ownerOf(file: string, projectAt: ReadonlyMap<string, string>): string | undefined {
  for (let at = file.lastIndexOf('/'); at > 0; at = file.lastIndexOf('/', at - 1)) {
    const project = projectAt.get(file.slice(0, at));
    if (project !== undefined) return project;
  }
  return undefined;
}
