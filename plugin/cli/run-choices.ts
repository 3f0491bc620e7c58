import { SettingsError } from '../base/settings-error.ts';
import { parseRunOptions } from '../nx/run-options.ts';
import type { RunChoices } from '../runtime/plan.ts';
import { type Arguments, listOf, textOf } from './command.ts';

/** What `run`, `plan` and `submit` take alike. @throws SettingsError for a number that is none, or too large */
export function choicesOf(options: Arguments['options']): RunChoices {
  const treatments = listOf(options.treatment);
  return { ...(treatments && { treatments }), ...numbersOf(options, ['replicates', 'seed']) };
}

/** The numbers that were given. @throws SettingsError for one that is none, or too large */
export function numbersOf<Name extends 'replicates' | 'seed' | 'workers'>(
  options: Arguments['options'],
  names: readonly Name[],
): { readonly [name in Name]?: number } {
  const given = names.flatMap((name) => {
    const text = textOf(options[name]);
    return text === undefined ? [] : [[name, /^\d+$/.test(text) ? Number(text) : text]];
  });
  const parsed = parseRunOptions(Object.fromEntries(given));
  if ('problem' in parsed) throw new SettingsError(parsed.problem);
  return parsed as { readonly [name in Name]?: number };
}
