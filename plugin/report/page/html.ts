import { printable } from '../../base/diagnostics.ts';

/** Markup that is ours: whatever else went into it was escaped. */
export class Html {
  constructor(readonly text: string) {}
}

export type Content = Html | string | number | undefined | readonly Content[];

/** Everything that is filled in is escaped for text and attributes alike, unless it is `Html`. Attributes need quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  let text = strings[0] ?? '';
  for (let i = 0; i < values.length; i++) text += render(values[i]) + (strings[i + 1] ?? '');
  return new Html(text);
}

function render(value: Content): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return escapeText(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Of printable ASCII, and nothing that means something in HTML: nearly every text. */
const PLAIN = /^[ !#-%(-;=?-~]*$/;

/** Line breaks stay; other control characters and signs of direction become visible. */
function escapeText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .split('\n')
    .map((line) => printable(line).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? ''))
    .join('\n');
}

/** A path below the results folder as the value of href: never read as a scheme, a host, a query, or a way out. */
export function relativeHref(path: string): string {
  const inside = path.split('/').filter((segment) => !/^\.{0,2}$/.test(segment));
  const encoded = inside.map((segment) => encodeURIComponent(segment.replace(/\p{Surrogate}/gu, '\ufffd')));
  return `../${encoded.join('/')}`;
}

export interface Column {
  readonly title: string;
  readonly numeric?: boolean;
}

/**
 * A table that scrolls in a frame of its own where it is too wide.
 *
 * @param label for those who cannot see where the frame is
 * @param rows cells; the first one names its row
 */
export function renderTable(
  label: string,
  columns: readonly Column[],
  rows: readonly (readonly Content[])[],
): Html {
  const head = columns.map(
    ({ title, numeric }) => html`<th scope="col"${numeric ? NUMERIC : undefined}>${title}</th>`,
  );
  const body = rows.map((cells) => {
    const rendered = cells.map((cell, i) =>
      i === 0
        ? html`<th scope="row"${isShort(cell) ? NAME : undefined}>${cell}</th>`
        : html`<td${columns[i]?.numeric ? NUMERIC : undefined}>${cell}</td>`,
    );
    return html`<tr>${rendered}</tr>\n`;
  });
  return html`<div class="wide" role="region" tabindex="0" aria-label="${label}"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>
</table></div>
`;
}

const NUMERIC = new Html(' class="n"');
/** Stays in view while the rest of the table scrolls. */
const NAME = new Html(' class="name"');
const MAX_NAME = 24;

function isShort(cell: Content): boolean {
  return typeof cell === 'string' && cell.length <= MAX_NAME;
}

export function renderSection(id: string, title: string, content: Content): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}</section>
`;
}
