import { printable } from '../base/diagnostics.ts';
import type { MetricRow, ReportModel, Verdict } from './model.ts';

const MAX_WIDTH = 100;
const MAX_NAME = 28;
const GAP = '  ';

/** The comparison as plain text of at most 100 columns. */
export function renderTable(model: ReportModel): string {
  const lines = [heading(model), ''];
  if (model.metrics.length === 0) lines.push('  No metrics were recorded.');
  else lines.push(...metricTable(model.metrics));
  if (model.verdicts.length > 0) lines.push('', ...model.verdicts.flatMap(renderVerdict));
  const failed = model.conditions.filter((condition) => condition.failed > 0);
  if (failed.length > 0) {
    lines.push(
      '',
      ...failed.flatMap((c) =>
        wrap(`${printable(c.condition)}: ${c.failed} of ${c.failed + c.finished} replicates failed`),
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

function heading({ experiment, description, conditions }: ReportModel): string {
  const counts = `${conditions.length} condition${conditions.length === 1 ? '' : 's'}`;
  return clip(printable(`${experiment}: ${description ?? counts}`), MAX_WIDTH);
}

function metricTable(rows: readonly MetricRow[]): string[] {
  const head = ['metric', 'condition', 'mean ± sd', 'n', 'vs baseline'];
  const numbers = rows.map((row) => [
    renderSpread(row),
    String(row.description.n),
    row.difference === undefined ? '' : signed(row.difference),
  ]);
  const taken = widthsOf([head.slice(2), ...numbers]).reduce((sum, width) => sum + GAP.length + width, 0);
  const nameWidth = Math.min(MAX_NAME, Math.floor((MAX_WIDTH - taken - 2 * GAP.length) / 2));
  const cells = rows.map((row, i) => [
    row.metric === rows[i - 1]?.metric ? '' : clip(printable(row.metric), nameWidth),
    clip(printable(row.condition), nameWidth),
    ...(numbers[i] ?? []),
  ]);
  const widths = widthsOf([head, ...cells]);
  const renderLine = (line: readonly string[]): string =>
    `  ${line.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(GAP)}`.trimEnd();
  return [
    renderLine(head),
    `  ${widths.map((width) => '-'.repeat(width)).join(GAP)}`,
    ...cells.map(renderLine),
  ];
}

function renderSpread({ description: { mean, sd, missing } }: MetricRow): string {
  const spread = Number.isNaN(sd) ? '' : ` ± ${formatNumber(sd)}`;
  return `${formatNumber(mean)}${spread}${missing > 0 ? ` (${missing} NaN)` : ''}`;
}

function renderVerdict({ hypothesis, condition, metrics, result }: Verdict): string[] {
  const subject = `${printable(hypothesis)}, ${printable(condition)} vs baseline on ${printable(metrics.join(', '))}`;
  if (!result.ok) return wrap(`${subject}: ${printable(result.message)}`);
  const values = Object.entries(result.values).map(
    ([key, value]) =>
      `${printable(key)} ${printable(typeof value === 'number' ? formatNumber(value) : JSON.stringify(value))}`,
  );
  return wrap(`${subject}: ${values.join(', ')}`);
}

/** Breaks a text between words, and long words anywhere; what follows the first line is indented further. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = GAP;
  for (const word of text.split(' ')) {
    let rest = word;
    if (line.trim() !== '' && line.length + 1 + rest.length > MAX_WIDTH) {
      lines.push(line);
      line = GAP.repeat(2);
    }
    line += line.trim() === '' ? '' : ' ';
    while (line.length + rest.length > MAX_WIDTH) {
      const part = fit(rest, MAX_WIDTH - line.length);
      lines.push(line + part);
      rest = rest.slice(part.length);
      line = GAP.repeat(2);
    }
    line += rest;
  }
  return [...lines, line.trimEnd()];
}

function widthsOf(lines: readonly (readonly string[])[]): number[] {
  return (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
}

/** Four significant digits, without an exponent where that stays short. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-4) return value.toExponential(3);
  return Number.isInteger(value) ? String(value) : value.toPrecision(magnitude >= 1000 ? 6 : 4);
}

function signed(value: number): string {
  return value > 0 ? `+${formatNumber(value)}` : formatNumber(value);
}

function clip(text: string, width: number): string {
  return text.length > width ? `${fit(text, width - 1)}…` : text;
}

/** The beginning of a text; never cuts a character in two. */
function fit(text: string, width: number): string {
  return text.slice(0, width).replace(/[\ud800-\udbff]$/, '');
}
