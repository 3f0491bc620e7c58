import { bytesOf, escapeMarkdown, renderMarkdownTable } from '../markdown-text.ts';
import { formatNumber } from '../numbers.ts';
import { cellsOf, HEAD, headline, remarksOf } from './cells.ts';
import type { DiffModel } from './model.ts';

/** A comment on a pull request holds 65536 characters. */
const MAX_BYTES = 50_000;
const MAX_REMARKS = 50;

/** Text for a pull request: a table, and lists of what else changed. */
export function renderDiffMarkdown(model: DiffModel): string {
  const blocks = [`**${escapeMarkdown(headline(model))}**`];
  for (const note of model.notes) blocks.push(`> ${escapeMarkdown(note)}`);
  const lists = remarksOf(model).map(({ title, items }) => {
    const shown = items.slice(0, MAX_REMARKS).map((item) => `- ${escapeMarkdown(item)}`);
    const more = items.length > MAX_REMARKS ? [`- and ${items.length - MAX_REMARKS} more`] : [];
    return `${title}:\n\n${[...shown, ...more].join('\n')}`;
  });
  if (!model.identical && model.rows.length > 0) {
    const { text, left } = renderMarkdownTable(
      {
        head: HEAD.map((title, i) => (i < 2 || title === 'reading' ? title : `${title}:`)),
        rows: model.rows.map((row) => cellsOf(row, formatNumber).map((cell) => escapeMarkdown(cell))),
      },
      MAX_BYTES - bytesOf([...blocks, ...lists].join('\n\n')),
    );
    blocks.push(left > 0 ? `${text}\nAnd ${left} more rows.` : text.trimEnd());
  }
  return `${[...blocks, ...lists].join('\n\n')}\n`;
}
