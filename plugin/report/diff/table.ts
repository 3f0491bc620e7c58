import { formatNumber } from '../numbers.ts';
import { clip, clipNames, columnsToTell, GAP, MAX_WIDTH, renderGrid, widthsOf, wrap } from '../text-grid.ts';
import { cellsOf, HEAD, headline, remarksOf } from './cells.ts';
import type { DiffModel } from './model.ts';

/** A name is never cut shorter, and a condition's no longer, than it takes to tell it from the others. */
const [SHORTEST_NAME, LONGEST_CONDITION, LONGEST_NAME] = [6, 16, 28];
/** Columns that go, one after the other, where names would be alike without. */
const SPARED: readonly (typeof HEAD)[number][] = ['before', 'after', 'p'];

/** Text for a terminal: one row for each metric and condition. @param width most columns */
export function renderDiffTable(model: DiffModel, width: number = MAX_WIDTH): string {
  const lines = wrap(headline(model), { width }).map((line) => line.replace(/^ {2}/, ''));
  for (const note of model.notes) lines.push(...wrap(`Note: ${note}`, { width }));
  if (!model.identical && model.rows.length > 0) lines.push('', ...gridOf(model, width));
  for (const { title, items } of remarksOf(model)) {
    lines.push('', title, ...items.flatMap((item) => wrap(item, { width })));
  }
  return `${lines.join('\n')}\n`;
}

/** Names get what the numbers leave, and numbers go where that is too little. */
function gridOf({ rows }: DiffModel, width: number): string[] {
  const all = rows.map((row) => cellsOf(row, formatNumber));
  const namesOf = (column: 0 | 1): string[] => all.map((row) => row[column]);
  const leastOf = (column: 0 | 1): number => columnsToTell(namesOf(column), SHORTEST_NAME, LONGEST_NAME);
  const wanted = leastOf(0) + leastOf(1);
  const tables = [...SPARED.keys(), SPARED.length].map((n) => numbersOf(all, SPARED.slice(0, n)));
  const numbers = tables.find((table) => roomFor(table, width) >= wanted) ?? tables.at(-1) ?? [];
  const room = roomFor(numbers, width);
  const widest = Math.max(9, ...all.map(([, condition]) => condition.length));
  const most = Math.max(LONGEST_CONDITION, leastOf(1));
  const half = Math.max(Math.floor(room / 2), Math.min(leastOf(1), room - leastOf(0)));
  const forCondition = Math.max(SHORTEST_NAME, Math.min(widest, most, half));
  const metrics = clipNames(namesOf(0), Math.max(SHORTEST_NAME, room - forCondition));
  const conditions = clipNames(namesOf(1), forCondition);
  const [head = [], ...cells] = numbers;
  return renderGrid(
    [
      ['metric', clip('condition', forCondition), ...head],
      ...cells.map((row, i) => [metrics[i] ?? '', conditions[i] ?? '', ...row]),
    ],
    2,
    { verdict: true },
  );
}

/** What stands beside the names, with its head. */
function numbersOf(all: readonly (readonly string[])[], gone: typeof SPARED): string[][] {
  const shown = HEAD.flatMap((title, i) => (i < 2 || gone.includes(title) ? [] : i));
  return [HEAD, ...all].map((row) => shown.map((i) => row[i] ?? ''));
}

/** Columns for the two names together. */
function roomFor(numbers: readonly (readonly string[])[], width: number): number {
  const taken = widthsOf(numbers).reduce((sum, column) => sum + GAP.length + column, 0);
  return width - taken - 2 * GAP.length;
}
