import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NxJsonConfiguration } from '@nx/devkit';
import { SettingsError } from '../base/settings-error.ts';
import { parseJsonc } from '../io/jsonc.ts';

/**
 * The nx.json of a workspace as Nx reads it, comments and last commas included; empty where there is none. The devkit would do
 * the same, and takes a fifth of a second to load.
 *
 * @throws SettingsError when it cannot be read
 */
function readNxJson(root: string): NxJsonConfiguration {
  const path = pathIn(root);
  if (!existsSync(path)) return {};
  try {
    return parseJsonc(readFileSync(path, 'utf8')) as NxJsonConfiguration;
  } catch (error) {
    throw new SettingsError(`${path}: ${(error as Error).message}`);
  }
}

/**
 * What follows from the nx.json of a workspace.
 *
 * @throws SettingsError that names the file when it cannot be read, and when `derive` throws
 */
export function fromNxJson<T>(root: string, derive: (nxJson: NxJsonConfiguration) => T): T {
  const nxJson = readNxJson(root);
  try {
    return derive(nxJson);
  } catch (error) {
    throw new SettingsError(`${pathIn(root)}: ${(error as Error).message}`);
  }
}

function pathIn(root: string): string {
  return join(root, 'nx.json');
}
