import { printable } from '../base/diagnostics.ts';
import { largest } from '../base/largest.ts';

/** No line of what we print is longer; in a narrow terminal they are shorter still. */
export const MAX_WIDTH = 100;
export const GAP = '  ';

/**
 * Lines of a table: a head, a rule, and rows; the first columns are words, the others numbers.
 *
 * @param verdict the last column is words again
 */
export function renderGrid(
  lines: readonly (readonly string[])[],
  words: number,
  { verdict = false } = {},
): string[] {
  const widths = widthsOf(lines);
  const isWord = (column: number): boolean => column < words || (verdict && column === widths.length - 1);
  const [head = '', ...rows] = lines.map((line) =>
    `${GAP}${line.map((cell, i) => (isWord(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(GAP)}`.trimEnd(),
  );
  return [head, `${GAP}${widths.map((width) => '-'.repeat(width)).join(GAP)}`, ...rows];
}

/** Of each column. */
export function widthsOf(lines: readonly (readonly string[])[]): number[] {
  return (lines[0] ?? []).map((_, column) => largest(lines.map((line) => line[column]?.length ?? 0)));
}

/** Breaks a text between words, and long words anywhere; what follows the first line is indented further. */
export function wrap(text: string, { width }: { readonly width: number }): string[] {
  const lines: string[] = [];
  let line = GAP;
  for (const word of printable(text).split(' ')) {
    let rest = word;
    if (line.trim() !== '' && line.length + 1 + rest.length > width) {
      lines.push(line);
      line = GAP.repeat(2);
    }
    line += line.trim() === '' ? '' : ' ';
    while (line.length + rest.length > width) {
      const part = fit(rest, width - line.length);
      lines.push(line + part);
      rest = rest.slice(part.length);
      line = GAP.repeat(2);
    }
    line += rest;
  }
  return [...lines, line.trimEnd()];
}

/** A text in at most so many columns, on one line. */
export function clip(text: string, width: number): string {
  const shown = printable(text);
  return shown.length > width ? `${fit(shown, width - 1)}…` : shown;
}

/**
 * Names in at most so many columns each. What tells them apart is kept: where beginnings alone would be alike, they are cut in the
 * middle, and else at the front.
 */
export function clipNames(names: readonly string[], width: number): string[] {
  const beginnings = names.map((name) => clip(name, width));
  if (areTold(names, beginnings)) return beginnings;
  const others = [clipMiddle, clipFront].map((cut) => names.map((name) => cut(name, width)));
  return others.find((clipped) => areTold(names, clipped)) ?? beginnings;
}

/** The least columns in which beginnings tell names apart: `least`, or more up to `most`. */
export function columnsToTell(names: readonly string[], least: number, most: number): number {
  const told = (width: number): boolean =>
    areTold(
      names,
      names.map((name) => clip(name, width)),
    );
  for (let width = least; width < most; width++) if (told(width)) return width;
  return most;
}

function areTold(names: readonly string[], clipped: readonly string[]): boolean {
  return new Set(clipped).size === new Set(names).size;
}

function clipMiddle(text: string, width: number): string {
  const shown = printable(text);
  if (shown.length <= width) return shown;
  const head = fit(shown, Math.floor((width - 1) / 2));
  return `${head}…${fitEnd(shown, width - 1 - head.length)}`;
}

function clipFront(text: string, width: number): string {
  const shown = printable(text);
  return shown.length > width ? `…${fitEnd(shown, width - 1)}` : shown;
}

/** The end of a text; never cuts a character in two. */
function fitEnd(text: string, width: number): string {
  return width < 1 ? '' : text.slice(-width).replace(/^[\udc00-\udfff]/, '');
}

/** The beginning of a text; never cuts a character in two. */
function fit(text: string, width: number): string {
  return text.slice(0, width).replace(/[\ud800-\udbff]$/, '');
}
