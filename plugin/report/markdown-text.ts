import { printable } from '../base/diagnostics.ts';

const MAX_TEXT = 300;

/**
 * A text of the user's as Markdown that shows just that text on one line, in a table too: no markup, no HTML, and nobody is
 * notified. Long texts are cut.
 */
export function escapeMarkdown(text: string, longest = MAX_TEXT): string {
  const shown = printable(text);
  const cut =
    shown.length > longest ? `${shown.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…` : shown;
  return cut
    .replace(/[&<>|`*[\]~\\$^{}@#!_]|:\/\/|www\./gi, (sign, at: number) => neutralize(sign, at, cut))
    .replace(/^(\s*)(?:([-+])(?=[\s-]|$)|(\d+)([.)])(?=\s|$))/, (_, space, bullet, number, dot) =>
      bullet === undefined ? `${space}${number}${entity(dot)}` : `${space}${entity(bullet)}`,
    );
}

/** An empty comment keeps a mention, a reference or a link from being one: entities are decoded before these are looked for. */
function neutralize(sign: string, at: number, text: string): string {
  const next = text[at + 1] ?? '';
  switch (sign) {
    case '_':
      // Between letters it is no markup, and names are full of it.
      return isWord(next) && isWord(text[at - 1] ?? '') ? sign : entity(sign);
    case '@':
    case '#':
    case '!':
      if (isWord(next)) return `${sign}<!-- -->`;
      return sign === '#' && at === 0 ? entity(sign) : sign;
    case '://':
      return ':/<!-- -->/';
    default:
      return sign.length > 1 ? `${sign.slice(0, -1)}<!-- -->.` : entity(sign);
  }
}

function isWord(character: string): boolean {
  return /^\w$/.test(character);
}

function entity(sign: string): string {
  return `&#${sign.charCodeAt(0)};`;
}

/** The size of a text in bytes of UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

export interface MarkdownTable {
  /** Markdown; a column whose title ends with ":" is aligned to the right. */
  readonly head: readonly string[];
  /** Markdown of each cell. */
  readonly rows: readonly (readonly string[])[];
}

/** As many rows as fit into so many bytes, and how many did not. */
export function renderMarkdownTable(
  { head, rows }: MarkdownTable,
  budget: number,
): { readonly text: string; readonly left: number } {
  const lines = [
    lineOf(head.map((title) => title.replace(/:$/, ''))),
    `|${head.map((title) => (title.endsWith(':') ? ' ---: ' : ' :--- ')).join('|')}|`,
  ];
  let size = bytesOf(lines.join('\n')) + 1;
  let shown = 0;
  for (const row of rows) {
    const line = lineOf(row);
    size += bytesOf(line) + 1;
    if (size > budget) break;
    lines.push(line);
    shown++;
  }
  return { text: `${lines.join('\n')}\n`, left: rows.length - shown };
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
