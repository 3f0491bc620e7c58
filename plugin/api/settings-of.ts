import { Interpreters } from '../io/python/interpreter.ts';
import { fromNxJson } from '../nx/nx-json.ts';
import { pluginOptions, resolveOptions } from '../nx/options.ts';
import type { PluginOptions } from '../nx/plugin-options.ts';
import { resolveStore, type StoreOptions } from '../nx/store-options.ts';

/** The store that Nx would use for this root, unless told otherwise. @throws SettingsError */
export function storeOf(root: string, chosen: string | false | undefined): StoreOptions {
  const options = optionsOf(root);
  if (chosen === undefined) return resolveStore(root, options, process.env);
  return resolveStore(
    root,
    { ...options, store: chosen },
    { ...process.env, NX_EXPERIMENTS_STORE: undefined },
  );
}

/** The Pythons that Nx would use for this root. @throws SettingsError */
export function interpretersOf(root: string): Interpreters {
  return new Interpreters(root, resolveOptions(optionsOf(root)).python);
}

function optionsOf(root: string): PluginOptions {
  return fromNxJson(root, pluginOptions);
}
