import { globAsync, readNxJson, type Tree } from '@nx/devkit';
import { formatDiagnostic } from '../base/diagnostics.ts';
import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import type { ExperimentConfig } from '../config/config.ts';
import { parseConfig } from '../config/parse.ts';
import { experimentFilesOf } from '../nx/options.ts';

/** The experiments of a workspace as a generator sees it, changes that are not written yet included. */
export async function experimentsOf(tree: Tree): Promise<ExperimentConfig[]> {
  const files = await globAsync(tree, ['**/config.yaml', '**/config.yml']);
  return experimentFilesOf(readNxJson(tree) ?? {}, files).flatMap((file) => {
    const parsed = parseConfig(file, tree.read(file, 'utf8') ?? '');
    return parsed.ok ? [parsed.value] : [];
  });
}

/** @throws SettingsError when there is none of that name */
export async function experimentNamed(tree: Tree, name: string): Promise<ExperimentConfig> {
  const experiments = await experimentsOf(tree);
  const found = experiments.find((config) => config.name.value === name);
  if (found !== undefined) return found;
  const names = experiments.map((config) => config.name.value).sort();
  throw new SettingsError(
    `There is no experiment "${name}", or its config.yaml has problems. ${suggestion(name, names, 'experiments')}`,
  );
}

/** Writes a config that is correct, and only such. @throws SettingsError with what would be wrong */
export function writeConfig(tree: Tree, file: string, text: string): ExperimentConfig {
  const parsed = parseConfig(file, text);
  if (!parsed.ok) {
    const problems = parsed.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, () => text));
    throw new SettingsError(
      `Nothing is changed, since the result would be wrong:\n\n${problems.join('\n\n')}`,
    );
  }
  tree.write(file, text);
  return parsed.value;
}
