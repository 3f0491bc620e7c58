import type { ConditionSummary } from './model.ts';

/** One thing that a condition computes with: a parameter or a datasource. */
export interface Setting {
  /** `rate`, `data (datasource)`. */
  readonly name: string;
  /** By condition, as JSON or in words; undefined where it is not set. */
  readonly values: readonly (string | undefined)[];
  /** Not the same in all conditions. */
  readonly differs: boolean;
}

/** Everything that conditions compute with, as the rows of a table that has a column for each condition. */
export function settingsOf(conditions: readonly ConditionSummary[]): Setting[] {
  const columns = conditions.map(({ parameters = {}, datasource = {} }) => {
    const column = new Map<string, string>();
    for (const [name, value] of Object.entries(parameters)) column.set(name, JSON.stringify(value));
    for (const [alias, source] of Object.entries(datasource)) column.set(`${alias} (datasource)`, source);
    return column;
  });
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  return names.map((name) => {
    const values = columns.map((column) => column.get(name));
    return { name, values, differs: new Set(values).size > 1 };
  });
}
