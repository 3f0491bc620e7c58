import { isAbsolute, join } from 'node:path';
import { SettingsError } from '../base/settings-error.ts';
import { FolderStore } from '../store/folder-store.ts';
import type { RunStore } from '../store/store.ts';

/** Where finished replicates are kept, and how much of them. */
export interface StoreOptions {
  /** Absolute path; undefined: no store. */
  readonly folder: string | undefined;
  readonly maxBytes: number;
}

const DEFAULT_FOLDER = '.nx/experiments';
const DEFAULT_MAX_BYTES = 10 * 2 ** 30;
const UNITS = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

/**
 * NX_EXPERIMENTS_STORE (a path, or `off`) goes before the plugin option `store`, which goes before `.nx/experiments`;
 * likewise NX_EXPERIMENTS_STORE_SIZE (`500M`, `10G`) and `storeSize`.
 *
 * @throws SettingsError when one of them cannot be read
 */
export function resolveStore(
  root: string,
  {
    store,
    storeSize,
  }: { readonly store?: string | false | undefined; readonly storeSize?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): StoreOptions {
  // They come from a JSON file that nobody has checked. An empty path would be the root itself.
  if (store !== undefined && store !== false && (typeof store !== 'string' || store === ''))
    throw new SettingsError('The option "store" must be the path of a folder, or false for no store.');
  const chosen = env.NX_EXPERIMENTS_STORE || store;
  const maxBytes = parseSize(env.NX_EXPERIMENTS_STORE_SIZE || storeSize);
  if (chosen === false || chosen === 'off') return { folder: undefined, maxBytes };
  const folder = chosen ?? DEFAULT_FOLDER;
  return { folder: isAbsolute(folder) ? folder : join(root, folder), maxBytes };
}

export function openStore({ folder, maxBytes }: StoreOptions): RunStore | undefined {
  return folder === undefined ? undefined : new FolderStore(folder, maxBytes);
}

function parseSize(size: string | undefined): number {
  if (size === undefined) return DEFAULT_MAX_BYTES;
  const text = String(size); // in nx.json it may be anything
  const [, amount, unit = ''] = /^([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  if (amount === undefined)
    throw new SettingsError(`The store's size "${text}" cannot be read: write it like 500M or 10G.`);
  return Math.floor(Number(amount) * UNITS[unit.toLowerCase() as keyof typeof UNITS]);
}
