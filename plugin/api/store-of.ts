import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SettingsError } from '../base/settings-error.ts';
import { pluginOptions } from '../nx/options.ts';
import { resolveStore, type StoreOptions } from '../nx/store-options.ts';

/** The store that Nx would use for this root, unless told otherwise. @throws SettingsError */
export function storeOf(root: string, chosen: string | false | undefined): StoreOptions {
  const path = join(root, 'nx.json');
  let options = {};
  try {
    if (existsSync(path)) options = pluginOptions(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new SettingsError(`${path}: ${(error as Error).message}`);
  }
  if (chosen === undefined) return resolveStore(root, options, process.env);
  return resolveStore(
    root,
    { ...options, store: chosen },
    { ...process.env, NX_EXPERIMENTS_STORE: undefined },
  );
}
