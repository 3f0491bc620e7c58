import { formatNumber } from '../numbers.ts';
import { clip, clipNames, MAX_WIDTH, renderGrid, widthsOf, wrap } from '../text-grid.ts';
import { cellsOf, HEAD, headline, remarksOf } from './cells.ts';
import type { DiffModel } from './model.ts';

const GAPS = 2 * HEAD.length;
/** A name is never cut shorter, and a condition's no longer. */
const [SHORTEST_NAME, LONGEST_CONDITION] = [6, 16];

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

/** Names get what the numbers leave. */
function gridOf({ rows }: DiffModel, width: number): string[] {
  const all = rows.map((row) => cellsOf(row, formatNumber));
  const numbers = widthsOf([[...HEAD], ...all])
    .slice(2)
    .reduce((sum, column) => sum + column, 0);
  const room = width - GAPS - numbers;
  const widest = Math.max(9, ...all.map(([, condition]) => condition.length));
  const forCondition = Math.max(SHORTEST_NAME, Math.min(widest, LONGEST_CONDITION, Math.floor(room / 2)));
  const forMetric = Math.max(SHORTEST_NAME, room - forCondition);
  const metrics = clipNames(
    all.map(([metric]) => metric),
    forMetric,
  );
  const conditions = clipNames(
    all.map(([, condition]) => condition),
    forCondition,
  );
  const clipped = all.map(([, , ...cells], i) => [metrics[i] ?? '', conditions[i] ?? '', ...cells]);
  const head = HEAD.map((title, i) => (i === 1 ? clip(title, forCondition) : title));
  return renderGrid([head, ...clipped], 2, { verdict: true });
}
