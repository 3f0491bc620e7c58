import type { NxJsonConfiguration } from '@nx/devkit';
import { parseDuration } from '../base/duration.ts';
import { late } from '../base/late.ts';
import { SettingsError } from '../base/settings-error.ts';
import type { PluginOptions } from './plugin-options.ts';

export interface ResolvedOptions {
  readonly targetName: string;
  readonly include: readonly string[];
  readonly python: string | undefined;
  /** How long a shard should take; undefined: estimates make no shards. */
  readonly shardTimeMs: number | undefined;
}

const matcher = late<typeof import('minimatch')>('minimatch');

const DEFAULTS = { targetName: 'experiment', include: ['**/experiments/**'] };

/** @throws SettingsError that names what is wrong in nx.json */
export function resolveOptions(options: PluginOptions | undefined): ResolvedOptions {
  const {
    targetName = DEFAULTS.targetName,
    include = DEFAULTS.include,
    store: _,
    storeSize: __,
    python,
    shardTime,
    ...unknown
  } = options ?? {};
  const problem = (text: string): SettingsError =>
    new SettingsError(`nx.json, options of the plugin nx-experiments: ${text}`);
  const [extra] = Object.keys(unknown);
  if (extra !== undefined)
    throw problem(
      `unknown option "${extra}". Known options: targetName, include, store, storeSize, python, shardTime.`,
    );
  if (typeof targetName !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(targetName)) {
    throw problem('"targetName" must be a name of letters, digits, ".", "_" and "-".');
  }
  if (!Array.isArray(include) || !include.every((glob) => typeof glob === 'string')) {
    throw problem('"include" must be a list of globs.');
  }
  if (python !== undefined && (typeof python !== 'string' || python === '')) {
    throw problem('"python" must be a command or a path.');
  }
  const shardTimeMs = typeof shardTime === 'string' ? parseDuration(shardTime) : undefined;
  if (shardTime !== undefined && !(shardTimeMs !== undefined && shardTimeMs > 0)) {
    throw problem('"shardTime" must be a time greater than zero, such as "90s", "10m" or "1.5h".');
  }
  return { targetName, include, python, shardTimeMs };
}

/** The config files that are experiments; all others are left alone. */
export function experimentFiles(files: readonly string[], { include }: ResolvedOptions): string[] {
  const matches = include.map(matcherOf);
  return files.filter((file) => matches.some((match) => match(file))).sort();
}

/**
 * Those of the workspace by its nx.json: Nx hands over what the entry's own `include` and `exclude` let through, and who finds
 * files without it has to see the same.
 *
 * @throws SettingsError that names what is wrong in nx.json
 */
export function experimentFilesOf(nxJson: NxJsonConfiguration, files: readonly string[]): string[] {
  const entry = pluginEntry(nxJson);
  const { include, exclude } = typeof entry === 'object' ? entry : {};
  const included = inOrderOf(include, true);
  const excluded = inOrderOf(exclude, false);
  const handedOver = files.filter((file) => included(file) && !excluded(file));
  return experimentFiles(handedOver, resolveOptions(pluginOptions(nxJson)));
}

/** As Nx reads them: the last pattern that matches decides when one of them begins with "!", else any. */
function inOrderOf(globs: readonly string[] | undefined, withoutGlobs: boolean): (file: string) => boolean {
  const [first] = globs ?? [];
  if (globs === undefined || first === undefined) return () => withoutGlobs;
  const patterns = globs.map((glob) => {
    const isNegated = glob.startsWith('!');
    return { isNegated, match: matcherOf(isNegated ? glob.slice(1) : glob) };
  });
  return (file) =>
    patterns.reduce(
      (taken, { isNegated, match }) => (match(file) ? !isNegated : taken),
      first.startsWith('!'),
    );
}

/** A folder of that name anywhere: what nearly every workspace has. */
const FOLDER_ANYWHERE = /^\*\*\/(\w[\w.-]*)\/\*\*$/;

/** Loading what reads patterns takes longer than all the rest in a small workspace. */
function matcherOf(glob: string): (file: string) => boolean {
  const folder = FOLDER_ANYWHERE.exec(glob)?.[1];
  if (folder !== undefined) return (file) => `/${file}`.includes(`/${folder}/`);
  // Reading a pattern takes longer than matching a hundred paths.
  const pattern = new (matcher().Minimatch)(glob, { dot: true });
  return (file) => pattern.match(file);
}

/**
 * Our options in nx.json. One run may hold tasks of all experiments, with one store and one choice of Python.
 *
 * @throws SettingsError when there is more than one set of them
 */
export function pluginOptions(nxJson: NxJsonConfiguration): PluginOptions {
  const entry = pluginEntry(nxJson);
  return typeof entry === 'object' ? ((entry.options ?? {}) as PluginOptions) : {};
}

function pluginEntry(nxJson: NxJsonConfiguration) {
  const [entry, ...others] = (nxJson.plugins ?? []).filter(
    (plugin) => (typeof plugin === 'string' ? plugin : plugin.plugin) === 'nx-experiments',
  );
  if (others.length > 0) {
    throw new SettingsError(
      `The plugin nx-experiments is registered ${others.length + 1} times, and a run has one set of options: keep one entry of nx.json, with all globs in its "include".`,
    );
  }
  return entry;
}
