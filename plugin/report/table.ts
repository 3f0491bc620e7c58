import { printable } from '../base/diagnostics.ts';
import type { Json } from '../base/json.ts';
import { groupVerdicts, type MetricRow, type ReportModel, type Verdict } from './model.ts';
import { formatNumber } from './numbers.ts';
import { clip, GAP, MAX_WIDTH, renderGrid, widthsOf, wrap } from './text-grid.ts';

const MAX_NAME = 28;

/** Below this, simulations find too many differences that are none: docs/statistics.md. */
const FEW_FOR_BOOTSTRAP = 40;

/** The comparison as plain text of at most 100 columns. */
export function renderTable(model: ReportModel): string {
  const lines = [heading(model), ''];
  if (model.metrics.length === 0) lines.push('  No metrics were recorded.');
  else lines.push(...metricTable(model.metrics));
  for (const verdicts of groupVerdicts(model.verdicts)) lines.push('', ...renderVerdicts(verdicts));
  const failed = model.conditions.filter((condition) => condition.failed.length > 0);
  if (failed.length > 0) {
    lines.push(
      '',
      ...failed.flatMap((c) =>
        wrap(
          `${printable(c.condition)}: ${c.failed.length} of ${c.failed.length + c.finished} replicates failed`,
        ),
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

function heading({ experiment, description, conditions }: ReportModel): string {
  const counts = `${conditions.length} condition${conditions.length === 1 ? '' : 's'}`;
  return clip(printable(`${experiment}: ${description || counts}`), MAX_WIDTH);
}

function metricTable(rows: readonly MetricRow[]): string[] {
  const compared = rows.some(({ comparison }) => comparison !== undefined);
  const head = ['metric', 'condition', 'mean ± sd', 'n', ...(compared ? ['vs baseline'] : [])];
  const numbers = rows.map((row) => {
    const format = formatOf(rows.filter((other) => other.metric === row.metric));
    const difference = row.comparison === undefined ? '' : signed(row.comparison.difference, format);
    return [renderSpread(row, format), String(row.description.n), ...(compared ? [difference] : [])];
  });
  const taken = widthsOf([head.slice(2), ...numbers]).reduce((sum, width) => sum + GAP.length + width, 0);
  const nameWidth = Math.min(MAX_NAME, Math.floor((MAX_WIDTH - taken - 2 * GAP.length) / 2));
  const cells = rows.map((row, i) => [
    row.metric === rows[i - 1]?.metric ? '' : clip(printable(row.metric), nameWidth),
    clip(printable(row.condition), nameWidth),
    ...(numbers[i] ?? []),
  ]);
  return renderGrid([head, ...cells], 2);
}

type Format = (value: number) => string;

/** As many decimals for a whole metric as show its smallest spread with three digits, so that numbers line up. */
function formatOf(rows: readonly MetricRow[]): Format {
  const spreads = rows.map(({ description }) => description.sd).filter((sd) => sd > 0);
  const largest = Math.max(...rows.map(({ description }) => Math.abs(description.mean)));
  if (spreads.length === 0 || !(largest < 1e6)) return formatNumber;
  const decimals = 2 - Math.floor(Math.log10(Math.min(...spreads)));
  return decimals > 6 ? formatNumber : (value) => fixed(value, Math.max(0, decimals));
}

/** Not a number and infinities have no decimals; a difference that rounds to nothing has no sign. */
function fixed(value: number, decimals: number): string {
  return Number.isFinite(value) ? value.toFixed(decimals).replace(/^-(0(?:\.0*)?)$/, '$1') : String(value);
}

function renderSpread({ description: { mean, sd, missing } }: MetricRow, format: Format): string {
  const spread = Number.isNaN(sd) ? '' : ` ± ${format(sd)}`;
  return `${format(mean)}${spread}${missing > 0 ? ` (${missing} NaN)` : ''}`;
}

/** A table of what the verifier returned; sentences where that would be too wide, or where it failed. */
function renderVerdicts(verdicts: readonly Verdict[]): string[] {
  const [first] = verdicts;
  if (first?.builtIn) return renderTests(verdicts);
  const keys = [...new Set(verdicts.flatMap(({ result }) => (result.ok ? Object.keys(result.values) : [])))];
  const rows = verdicts.map(({ condition, metrics, result }) => [
    clip(printable(condition), MAX_NAME),
    clip(printable(metrics.join(', ')), MAX_NAME),
    ...keys.map((key) => (result.ok ? renderValue(result.values[key]) : '')),
  ]);
  const grid = renderGrid([['condition', 'metric', ...keys.map(printable)], ...rows], 2);
  const failed = verdicts.some(({ result }) => !result.ok);
  if (first === undefined || failed || grid.some((line) => line.length > MAX_WIDTH))
    return verdicts.flatMap(renderVerdict);
  const order = keys.includes('p_value') && verdicts.length > 1 ? ', smallest p_value first' : '';
  return [
    ...wrap(
      `${printable(first.hypothesis)} (${printable(first.verifier)}, each condition vs baseline${order})`,
    ),
    ...grid,
  ];
}

const EFFECT_WORDS: Readonly<Record<string, string>> = {
  d_z: 'd_z',
  hedges_g: "Hedges' g",
  rank_biserial: 'rank-biserial',
  cliffs_delta: "Cliff's delta",
};

/** What a built-in test says of each condition, and what it would take to say more. */
function renderTests(verdicts: readonly Verdict[]): string[] {
  const [first] = verdicts;
  const { correction = 'none', tests = 1 } = first?.corrected ?? {};
  const corrected = tests > 1 && correction !== 'none';
  const effect = EFFECT_WORDS[String(valueIn(first, 'effect'))] ?? 'effect';
  const head = [
    ...['condition', 'metric', 'difference', 'interval', 'p'],
    ...(corrected ? ['corrected'] : []),
    ...[effect, 'significant'],
  ];
  const rows = verdicts.map((verdict) => [
    clip(printable(verdict.condition), MAX_NAME / 2),
    clip(printable(verdict.metrics.join(', ')), MAX_NAME / 2),
    signed(numberIn(verdict, 'difference'), formatNumber),
    `[${short(numberIn(verdict, 'ci_low'))}, ${short(numberIn(verdict, 'ci_high'))}]`,
    formatP(numberIn(verdict, 'p_value')),
    ...(corrected ? [formatP(numberIn(verdict, 'p_adjusted'))] : []),
    short(numberIn(verdict, 'effect_size')),
    valueIn(verdict, 'significant') === true ? 'yes' : 'no',
  ]);
  const how = corrected
    ? `; ${correction === 'holm' ? 'Holm' : 'Benjamini-Hochberg'} over ${tests} tests`
    : '';
  return [
    ...wrap(`${printable(first?.hypothesis ?? '')} (${first?.verifier}, each condition vs baseline${how})`),
    ...renderGrid([head, ...rows], 2),
    ...verdicts.flatMap(renderRemarks),
  ];
}

function renderRemarks(verdict: Verdict): string[] {
  const subject = `${printable(verdict.condition)} on ${printable(verdict.metrics.join(', '))}`;
  const dropped = numberIn(verdict, 'dropped');
  const remarks: string[] = [];
  if (dropped > 0) remarks.push(`${dropped} replicate${dropped === 1 ? '' : 's'} without a value left out`);
  if (valueIn(verdict, 'nested') !== undefined)
    remarks.push('recorded several times in a replicate: its mean counts');
  const [n, needed] = [numberIn(verdict, 'n'), numberIn(verdict, 'replicates_needed')];
  if (verdict.verifier === 'bootstrap_ci' && n < FEW_FOR_BOOTSTRAP)
    remarks.push(`with ${n} replicates a bootstrap interval is too narrow: paired_t_test errs less`);
  if (valueIn(verdict, 'significant') !== true && needed > n && needed <= 1000 * n) {
    const least = formatNumber(numberIn(verdict, 'minimum_detectable'));
    remarks.push(
      `smallest difference likely found: ${least}; for the observed one, about ${needed} replicates`,
    );
  }
  return remarks.length === 0 ? [] : wrap(`${subject}: ${remarks.join('; ')}`);
}

function valueIn(verdict: Verdict | undefined, key: string): Json | undefined {
  return verdict?.result.ok ? verdict.result.values[key] : undefined;
}

function numberIn(verdict: Verdict, key: string): number {
  const value = valueIn(verdict, key);
  return typeof value === 'number' ? value : Number.NaN;
}

/** Three digits. */
function short(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace('Infinity', '∞');
  const text = formatNumber(Number(value.toPrecision(3)));
  return text.includes('e') ? text : String(Number(text));
}

function formatP(p: number): string {
  if (Number.isNaN(p)) return 'NaN';
  return p < 0.0001 ? '< 0.0001' : p.toFixed(4);
}

function renderValue(value: Json | undefined): string {
  if (value === undefined) return '';
  return printable(
    typeof value === 'number'
      ? formatNumber(value)
      : typeof value === 'string'
        ? value
        : JSON.stringify(value),
  );
}

function renderVerdict({ hypothesis, condition, metrics, result }: Verdict): string[] {
  const subject = `${printable(hypothesis)}, ${printable(condition)} vs baseline on ${printable(metrics.join(', '))}`;
  if (!result.ok) return wrap(`${subject}: ${printable(result.message)}`);
  const values = Object.entries(result.values).map(
    ([key, value]) =>
      `${printable(key)} ${typeof value === 'string' ? printable(JSON.stringify(value)) : renderValue(value)}`,
  );
  return wrap(`${subject}: ${values.join(', ')}`);
}

function signed(value: number, format: Format): string {
  const text = format(value);
  return value > 0 && /[1-9∞I]/.test(text) ? `+${text}` : text;
}
