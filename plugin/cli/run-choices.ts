import { SettingsError } from '../base/settings-error.ts';
import { parseRunOptions } from '../nx/run-options.ts';
import type { RunChoices } from '../runtime/plan.ts';
import { type Arguments, listOf, textOf } from './command.ts';

/** What `run`, `plan` and `submit` take alike. @throws SettingsError for a number that is none, or too large */
export function choicesOf(options: Arguments['options']): RunChoices {
  const treatments = listOf(options.treatment);
  const numbers = Object.fromEntries(
    ['replicates', 'seed'].flatMap((name) => {
      const text = textOf(options[name]);
      return text === undefined ? [] : [[name, /^\d+$/.test(text) ? Number(text) : text]];
    }),
  );
  const parsed = parseRunOptions(numbers);
  if ('problem' in parsed) throw new SettingsError(parsed.problem);
  const { replicates, seed } = parsed;
  return {
    ...(treatments === undefined ? {} : { treatments }),
    ...(replicates === undefined ? {} : { replicates }),
    ...(seed === undefined ? {} : { seed }),
  };
}
