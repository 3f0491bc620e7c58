/** Comma-separated text with a header. Cells hold no commas, quotes or line breaks: ours never do. */
export function formatCsv(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  return [header, ...rows].map((cells) => `${cells.join(',')}\n`).join('');
}

/** Rows as mappings from the header's names to the cells' text. */
export function parseCsv(text: string): Record<string, string>[] {
  const [header = [], ...rows] = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ''])));
}
