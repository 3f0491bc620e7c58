import { printable } from '../base/diagnostics.ts';
import type { MetricRow, ReportModel, Verdict } from './model.ts';

const MAX_NAME = 28;

/** The comparison as plain text of at most 100 columns. */
export function renderTable(model: ReportModel): string {
  const lines = [heading(model), ''];
  if (model.metrics.length === 0) lines.push('  No metrics were recorded.');
  else lines.push(...metricTable(model.metrics));
  if (model.verdicts.length > 0) lines.push('', ...model.verdicts.map(renderVerdict));
  const failed = model.conditions.filter((condition) => condition.failed > 0);
  if (failed.length > 0) {
    lines.push(
      '',
      ...failed.map((c) => `  ${c.condition}: ${c.failed} of ${c.failed + c.finished} replicates failed`),
    );
  }
  return `${lines.join('\n')}\n`;
}

function heading({ experiment, description, conditions }: ReportModel): string {
  const counts = `${conditions.length} condition${conditions.length === 1 ? '' : 's'}`;
  return clip(printable(`${experiment}: ${description ?? counts}`), 100);
}

function metricTable(rows: readonly MetricRow[]): string[] {
  const cells = rows.map((row, i) => [
    row.metric === rows[i - 1]?.metric ? '' : clip(printable(row.metric), MAX_NAME),
    clip(row.condition, MAX_NAME),
    renderSpread(row),
    String(row.description.n),
    row.difference === undefined ? '' : signed(row.difference),
  ]);
  const head = ['metric', 'condition', 'mean ± sd', 'n', 'vs baseline'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const renderLine = (line: readonly string[]): string =>
    `  ${line.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`.trimEnd();
  return [
    renderLine(head),
    `  ${widths.map((width) => '-'.repeat(width)).join('  ')}`,
    ...cells.map(renderLine),
  ];
}

function renderSpread({ description: { mean, sd, missing } }: MetricRow): string {
  const spread = Number.isNaN(sd) ? '' : ` ± ${formatNumber(sd)}`;
  return `${formatNumber(mean)}${spread}${missing > 0 ? ` (${missing} NaN)` : ''}`;
}

function renderVerdict({ hypothesis, condition, metrics, result }: Verdict): string {
  const subject = `  ${printable(hypothesis)}, ${condition} vs baseline on ${printable(metrics.join(', '))}`;
  if (!result.ok) return `${subject}: ${printable(result.message)}`;
  const values = Object.entries(result.values).map(
    ([key, value]) =>
      `${printable(key)} ${typeof value === 'number' ? formatNumber(value) : printable(String(value))}`,
  );
  return `${subject}: ${values.join(', ')}`;
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
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
