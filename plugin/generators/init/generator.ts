import { formatFiles, readNxJson, type Tree, updateNxJson } from '@nx/devkit';
import { applyEdits, modify, parse } from 'jsonc-parser';
import { SettingsError } from '../../base/settings-error.ts';
import { refusePlugNPlay } from '../../io/plug-n-play.ts';
import { pluginOptions, resolveOptions } from '../../nx/options.ts';

export interface InitOptions {
  readonly skipEditor?: boolean;
  readonly skipFormat?: boolean;
}

const SCHEMA = './node_modules/nx-experiments/dist/config.schema.json';
const YAML_EXTENSION = 'redhat.vscode-yaml';

/** Sets a workspace up for experiments; a folder that is none yet becomes one. A second time it changes nothing. */
export default async function init(tree: Tree, options: InitOptions): Promise<void> {
  refusePlugNPlay();
  if (!tree.exists('nx.json')) beginWorkspace(tree);
  registerPlugin(tree);
  const { include } = resolveOptions(pluginOptions(readNxJson(tree) ?? {}));
  ignoreResults(tree, include);
  if (!options.skipEditor) describeConfigs(tree, include);
  if (!options.skipFormat) await formatFiles(tree);
}

function beginWorkspace(tree: Tree): void {
  tree.write('nx.json', '{ "$schema": "./node_modules/nx/schemas/nx-schema.json" }\n');
  appendLines(tree, '# Nx', ['node_modules/', '.nx/']);
}

function registerPlugin(tree: Tree): void {
  const nxJson = readNxJson(tree);
  if (nxJson === null) throw new SettingsError('The nx.json cannot be read.');
  const plugins = nxJson.plugins ?? [];
  const known = plugins.some(
    (entry) => (typeof entry === 'string' ? entry : entry.plugin) === 'nx-experiments',
  );
  if (!known) updateNxJson(tree, { ...nxJson, plugins: [...plugins, 'nx-experiments'] });
}

/** Results are outputs: what Git does not ignore, Nx takes for an input. */
export function ignoreResults(tree: Tree, include: readonly string[]): void {
  const everywhere = ['results', 'results/', '**/results', '**/results/'];
  if (everywhere.some((line) => ignoredLines(tree).includes(line))) return;
  appendLines(
    tree,
    '# Results of experiments',
    include.map((glob) => `${folderOf(glob)}/results/`),
  );
}

function ignoredLines(tree: Tree): string[] {
  const text = tree.exists('.gitignore') ? (tree.read('.gitignore', 'utf8') ?? '') : '';
  return text.split(/\r?\n/).map((line) => line.trim());
}

/** Adds those lines to .gitignore that it lacks, also in the way without a slash at the end. */
function appendLines(tree: Tree, comment: string, wanted: readonly string[]): void {
  const known = ignoredLines(tree);
  const missing = wanted.filter((line) => !known.includes(line) && !known.includes(line.replace(/\/$/, '')));
  if (missing.length === 0) return;
  const text = tree.exists('.gitignore') ? (tree.read('.gitignore', 'utf8') ?? '') : '';
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  tree.write('.gitignore', `${text}${end}${text === '' ? '' : '\n'}${comment}\n${missing.join('\n')}\n`);
}

/** The folders below which a glob of config files finds experiments. */
function folderOf(glob: string): string {
  return glob.replace(/\/(config\.ya?ml|config\.\{[^}]*\}|\*)$/, '').replace(/\/$/, '');
}

function describeConfigs(tree: Tree, include: readonly string[]): void {
  const globs = include.map((glob) => `${folderOf(glob)}/config.{yaml,yml}`);
  editJson(tree, '.vscode/settings.json', ['yaml.schemas', SCHEMA], () =>
    globs.length === 1 ? globs[0] : globs,
  );
  editJson(tree, '.vscode/extensions.json', ['recommendations'], (known) => {
    const all = Array.isArray(known) ? known : [];
    return all.includes(YAML_EXTENSION) ? all : [...all, YAML_EXTENSION];
  });
}

/** Changes one value, and keeps comments and order. A file that cannot be read is left alone. */
function editJson(tree: Tree, path: string, at: string[], change: (value: unknown) => unknown): void {
  const text = tree.exists(path) ? (tree.read(path, 'utf8') ?? '') : '{}\n';
  const errors: Parameters<typeof parse>[1] = [];
  const content: unknown = parse(text, errors, { allowTrailingComma: true });
  if ((errors?.length ?? 0) > 0 || typeof content !== 'object' || content === null) return;
  const before = at.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    content,
  );
  const after = change(before);
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  const edits = modify(text, at, after, { formattingOptions: { insertSpaces: true, tabSize: 2 } });
  tree.write(path, applyEdits(text, edits));
}
