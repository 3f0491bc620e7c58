import { posix } from 'node:path';
import { formatFiles, output, readNxJson, type Tree } from '@nx/devkit';
import { isLegalName, NAME_RULE, suggestion } from '../../base/names.ts';
import { SettingsError } from '../../base/settings-error.ts';
import type { ExperimentConfig } from '../../config/config.ts';
import { MODULE_KINDS, type ModuleKind } from '../../io/code/modules.ts';
import { pluginOptions, resolveOptions } from '../../nx/options.ts';
import { experimentsOf, writeConfig } from '../experiments-of-tree.ts';
import { chooseInTerminal } from './choose.ts';
import { renderConfig } from './config-file.ts';
import type { ExperimentPlan, UsedOutput } from './experiment-plan.ts';
import { renderPython } from './python-files.ts';
import { renderTypescript } from './typescript-files.ts';

export type ExperimentLanguage = 'typescript' | 'python';

export interface ExperimentGeneratorOptions {
  readonly name: string;
  readonly directory?: string;
  readonly description?: string;
  readonly uses?: string | readonly string[];
  readonly example?: boolean;
  readonly modules?: string | readonly string[];
  readonly language?: ExperimentLanguage;
  readonly skipFormat?: boolean;
}

/** Creates an experiment that runs at once. Nothing that is there is overwritten. */
export default async function createExperiment(
  tree: Tree,
  options: ExperimentGeneratorOptions,
): Promise<void> {
  const experiments = await experimentsOf(tree);
  const { name } = options;
  if (!isLegalName(name)) throw new SettingsError(`"${name}" is no name of an experiment: ${NAME_RULE}.`);
  const folder = folderFor(options, experiments);
  refuseExisting(tree, folder, name, experiments);
  const chosen = await chooseInTerminal(options, experiments);
  const plan: ExperimentPlan = {
    name,
    folder,
    description: options.description,
    example: options.example ?? true,
    uses: usesOf(listOf(chosen.uses), experiments),
    modules: modulesOf(options.example ?? true, chosen),
  };
  writeConfig(tree, posix.join(folder, 'config.yaml'), renderConfig(plan));
  const producers = new Map(
    plan.uses.map(({ producer }) => [producer.name.value, outputsModule(tree, producer)]),
  );
  const files = chosen.language === 'python' ? renderPython(plan) : renderTypescript(plan, producers);
  for (const [file, text] of files) tree.write(posix.join(folder, file), text);
  if (!options.skipFormat) await formatFiles(tree);
  const { targetName } = resolveOptions(pluginOptions(readNxJson(tree) ?? {}));
  output.note({ title: `Run it: nx run ${name}:${targetName}` });
}

function folderFor(
  { name, directory }: ExperimentGeneratorOptions,
  experiments: readonly ExperimentConfig[],
): string {
  if (directory !== undefined) {
    const folder = posix.normalize(directory.replaceAll('\\', '/')).replace(/\/$/, '');
    if (folder.startsWith('..') || posix.isAbsolute(folder)) {
      throw new SettingsError(
        `"--directory=${directory}" leads out of the workspace: give a folder relative to its root.`,
      );
    }
    return folder;
  }
  const counts = new Map<string, number>();
  for (const { folder } of experiments) {
    const parent = posix.dirname(folder);
    counts.set(parent, (counts.get(parent) ?? 0) + 1);
  }
  const [usual] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return posix.join(usual?.[0] ?? 'experiments', name);
}

function refuseExisting(
  tree: Tree,
  folder: string,
  name: string,
  experiments: readonly ExperimentConfig[],
): void {
  const same = experiments.find((config) => config.name.value.toLowerCase() === name.toLowerCase());
  if (same !== undefined)
    throw new SettingsError(`There is an experiment "${same.name.value}" already: ${same.file}.`);
  const known = tree.exists(folder) ? tree.children(folder) : [];
  if (known.length > 0) {
    throw new SettingsError(
      `The folder "${folder}" is not empty (${known.slice(0, 3).join(', ')}): choose another with --directory.`,
    );
  }
}

/** @throws SettingsError for an output that no experiment has */
function usesOf(references: readonly string[], experiments: readonly ExperimentConfig[]): UsedOutput[] {
  const known = experiments.flatMap((config) =>
    config.outputs.map(({ alias }) => `${config.name.value}#${alias}`),
  );
  const aliases = new Set<string>();
  return [...new Set(references)].map((reference) => {
    const [experiment = '', wanted = ''] = reference.split('#');
    const producer = experiments.find((config) => config.name.value === experiment);
    const found = producer?.outputs.find(({ alias }) => alias === wanted);
    if (producer === undefined || found === undefined) {
      throw new SettingsError(
        `There is no output "${reference}". ${suggestion(reference, known, 'outputs')}`,
      );
    }
    const alias = aliases.has(wanted) ? `${experiment}_${wanted}` : wanted;
    aliases.add(alias);
    return { alias, producer, output: found };
  });
}

function modulesOf(
  example: boolean,
  { uses, modules }: Pick<ExperimentGeneratorOptions, 'uses' | 'modules'>,
): Set<ModuleKind> {
  const needed: ModuleKind[] = listOf(uses).length > 0 ? ['steps'] : ['datasources', 'steps'];
  if (modules === undefined) {
    const usual = example ? MODULE_KINDS.filter((kind) => kind !== 'datasources' && kind !== 'outputs') : [];
    return new Set([...needed, ...usual]);
  }
  const wanted = listOf(modules).map((kind) => {
    const known = MODULE_KINDS.find((candidate) => candidate === kind);
    if (known !== undefined) return known;
    throw new SettingsError(`Unknown module "${kind}". ${suggestion(kind, MODULE_KINDS, 'modules')}`);
  });
  return new Set([...needed, ...wanted]);
}

function listOf(value: string | readonly string[] | undefined): string[] {
  return [value ?? []]
    .flat()
    .flatMap((item) => item.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function outputsModule(tree: Tree, producer: ExperimentConfig): string | undefined {
  return ['outputs.ts', 'outputs.mts']
    .map((file) => posix.join(producer.folder, file))
    .find((file) => tree.exists(file));
}
