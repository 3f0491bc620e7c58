import { output, type Tree } from '@nx/devkit';
import { parse } from 'yaml';
import { canonicalJson, type Json, type JsonObject } from '../../base/json.ts';
import { BASELINE } from '../../base/names.ts';
import { SettingsError } from '../../base/settings-error.ts';
import { experimentNamed, writeConfig } from '../experiments-of-tree.ts';
import { insertEntry } from '../insert-entry.ts';

export interface TreatmentOptions {
  readonly experiment: string;
  readonly name: string;
  readonly set?: string | readonly string[];
}

/** Adds a treatment. One that is there with the same values is left as it is. */
export default async function addTreatment(tree: Tree, options: TreatmentOptions): Promise<void> {
  const { experiment, name } = options;
  const config = await experimentNamed(tree, experiment);
  const values = parseAssignments([options.set ?? []].flat());
  const known = [config.baseline, ...config.treatments].find((treatment) => treatment.name === name);
  if (known !== undefined && (name !== BASELINE || known.at.end > 0)) {
    if (canonicalJson(known.values) === canonicalJson(values) && known.datasource.length === 0) {
      output.note({ title: `${experiment} has the treatment ${name} already.` });
      return;
    }
    throw new SettingsError(
      `"${experiment}" has a treatment "${name}" already: change it in ${config.file}.`,
    );
  }
  const text = tree.read(config.file, 'utf8') ?? '';
  writeConfig(tree, config.file, insertEntry(text, 'treatments', name, values));
}

/** `a.b=1` becomes `{ a: { b: 1 } }`. @throws SettingsError */
export function parseAssignments(assignments: readonly string[]): JsonObject {
  const values: Record<string, Json> = Object.create(null);
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    const path = assignment.slice(0, at).trim().split('.');
    if (at < 1 || path.some((key) => key === '')) {
      throw new SettingsError(`"--set=${assignment}" must be parameter=value, such as learning_rate=0.05.`);
    }
    let inner = values;
    for (const key of path.slice(0, -1)) {
      const next = inner[key] ?? Object.create(null);
      if (typeof next !== 'object' || next === null || Array.isArray(next)) {
        throw new SettingsError(`"--set=${assignment}": "${key}" has a value already that is no mapping.`);
      }
      inner[key] = next;
      inner = next as Record<string, Json>;
    }
    try {
      inner[path.at(-1) ?? ''] = parse(assignment.slice(at + 1)) as Json;
    } catch (error) {
      throw new SettingsError(`"--set=${assignment}": the value is no YAML: ${(error as Error).message}`);
    }
  }
  return JSON.parse(JSON.stringify(values));
}
