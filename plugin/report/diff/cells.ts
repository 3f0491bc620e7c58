import { formatP, formatWithin } from '../numbers.ts';
import type { Change, DiffModel, DiffRow } from './model.ts';

export const HEAD = [
  'metric',
  'condition',
  'before',
  'after',
  'difference',
  '95 % interval',
  'p',
  'reading',
] as const;

/** One row in words and numbers, in the order of `HEAD`. */
export function cellsOf(
  { metric, condition, before, after, comparison, word }: DiffRow,
  format: (value: number) => string,
): [metric: string, condition: string, ...string[]] {
  const short = formatWithin(comparison?.interval ?? { low: Number.NaN, high: Number.NaN });
  const ends =
    comparison === undefined || Number.isNaN(comparison.interval.low)
      ? ''
      : `${short(comparison.interval.low)}, ${short(comparison.interval.high)}`;
  const difference = comparison?.difference ?? Number.NaN;
  return [
    metric,
    condition,
    before === undefined ? '' : format(before.mean),
    after === undefined ? '' : format(after.mean),
    comparison === undefined ? '' : `${difference > 0 ? '+' : ''}${short(difference)}`,
    ends,
    comparison === undefined || Number.isNaN(comparison.adjusted) ? '' : formatP(comparison.adjusted),
    word,
  ];
}

/** What it is, and what came of it, in a line. */
export function headline({ experiment, base, identical, rows }: DiffModel): string {
  const against = `${experiment} against ${base}`;
  if (rows.length === 0) return `${against}: there are no metrics to compare.`;
  if (identical) return `${against}: nothing differs (${rows.length} metrics by condition).`;
  const words = new Map<string, number>();
  for (const { word } of rows) words.set(word, (words.get(word) ?? 0) + 1);
  return `${against}: ${[...words].map(([word, count]) => `${count} ${word}`).join(', ')}.`;
}

/** What stands below the table: lists with their titles; names are not escaped. */
export function remarksOf(model: DiffModel): { readonly title: string; readonly items: readonly string[] }[] {
  const { newConditions, goneConditions, changes, verdicts } = model;
  const told = ({ condition, what, before = '(not set)', after = '(not set)' }: Change): string =>
    `${condition}, ${what}: ${before} -> ${after}`;
  const lists = [
    { title: 'New conditions', items: newConditions },
    { title: 'Conditions that are gone', items: goneConditions },
    { title: 'Changed', items: changes.map(told) },
    { title: 'Verdicts that changed', items: verdicts.map(told) },
    { title: 'How it was compared', items: model.identical ? [] : methodsOf(model.rows) },
  ];
  return lists.filter(({ items }) => items.length > 0);
}

/** Each method once, with its reason and for how many rows. */
function methodsOf(rows: readonly DiffRow[]): string[] {
  const methods = new Map<string, number>();
  for (const { comparison } of rows) {
    if (comparison === undefined) continue;
    const test = comparison.method === 'paired' ? 'Paired t test' : 'Welch t test, unpaired';
    const text = `${test}: ${comparison.why}`;
    methods.set(text, (methods.get(text) ?? 0) + 1);
  }
  if (methods.size === 0) return [];
  const texts = [...methods].map(([text, count]) => (methods.size === 1 ? text : `${text} (rows: ${count})`));
  return [...texts, "Differences are after - before; p is corrected over this table by Holm's method."];
}
