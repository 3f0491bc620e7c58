import type { Interval } from '../statistics/outcome.ts';
import type { MetricRow } from './model.ts';

export type Format = (value: number) => string;
/** Of the values of a metric, and of their differences from the baseline. */
export type Formats = readonly [value: Format, difference: Format];

/** Levels of significance have two decimals as a rule. */
const COULD_BE_ALPHA = /^\d\.\d\d0+$/;
const MAX_P_DIGITS = 8;
/** Of a number, what may be rounding: replicates that differ by one constant still differ in their last digits. */
const ROUNDING = 1e-12;

/** Four significant digits, without an exponent where that stays short. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value).replace('Infinity', '∞');
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-4) return value.toExponential(3);
  return Number.isInteger(value) ? String(value) : value.toPrecision(magnitude >= 1000 ? 6 : 4);
}

/** Three significant digits or those asked for, but all before the point; infinities as signs, a dash where there is no number. */
export function formatShort(value: number, digits = 3): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return String(value).replace('Infinity', '∞');
  const beforePoint = Math.abs(value) < 1e6 ? Math.trunc(Math.abs(value)).toString().length : 1;
  const rounded = Number(value.toPrecision(Math.max(digits, beforePoint)));
  const magnitude = Math.abs(rounded);
  return magnitude >= 1e6 || (magnitude > 0 && magnitude < 1e-4)
    ? rounded.toExponential(digits - 1)
    : String(rounded);
}

/** As `formatShort`; a spread that is rounding alone makes effects of no size that there is. */
export function formatEffect(effect: number): string {
  return formatShort(Math.abs(effect) < 1 / ROUNDING ? effect : effect * Number.POSITIVE_INFINITY);
}

/** For an interval and what lies in its middle: three digits, and more where these would not tell the ends apart. */
export function formatWithin({ low, high }: Interval): Format {
  const width = high - low;
  const isPoint = !(width > ROUNDING * Math.max(Math.abs(low), Math.abs(high)));
  if (isPoint || !Number.isFinite(width)) return (value) => formatShort(value);
  const place = Math.floor(Math.log10(width / 2));
  return (value) => {
    const digits = Math.floor(Math.log10(Math.abs(value))) - place + 1;
    return formatShort(value, Number.isFinite(digits) ? Math.min(Math.max(digits, 3), 15) : 3);
  };
}

/**
 * For the rows of one metric, as many decimals as show its smallest spread with three digits, so that numbers line up. Differences
 * from the baseline may have more: pairs can tell far less than the spread, and two digits of every interval are shown.
 */
export function formatsOf(rows: readonly MetricRow[]): Formats {
  const forValues = decimalsFor(
    3,
    rows.map(({ description }) => description.sd),
  );
  const nearest = rows.flatMap(({ comparison }) =>
    comparison === undefined ? [] : nearestToZero(comparison.interval),
  );
  const reaches = rows.flatMap(({ comparison }) => {
    if (comparison === undefined) return [];
    const { difference, interval } = comparison;
    return [interval.low === interval.high ? Math.abs(difference) : (interval.high - interval.low) / 2];
  });
  const forDifferences =
    forValues === undefined
      ? undefined
      : Math.max(forValues, decimalsFor(2, reaches) ?? 0, decimalsFor(1, nearest) ?? 0);
  return [withDecimals(rows, forValues), withDecimals(rows, forDifferences)];
}

/** The end that zero is outside of, which must not be shown as zero. */
function nearestToZero({ low, high }: Interval): number[] {
  return low > 0 || high < 0 ? [Math.min(Math.abs(low), Math.abs(high))] : [];
}

/** Of each metric of a table. */
export function formatsByMetric(rows: readonly MetricRow[]): ReadonlyMap<string, Formats> {
  const byMetric = new Map<string, MetricRow[]>();
  for (const row of rows) {
    const siblings = byMetric.get(row.metric);
    if (siblings === undefined) byMetric.set(row.metric, [row]);
    else siblings.push(row);
  }
  return new Map(Array.from(byMetric, ([metric, siblings]) => [metric, formatsOf(siblings)]));
}

/** That show so many digits of the smallest; undefined when there is none. */
function decimalsFor(digits: number, sizes: readonly number[]): number | undefined {
  const known = sizes.filter((size) => size > 0 && Number.isFinite(size));
  return known.length === 0
    ? undefined
    : Math.max(0, digits - 1 - Math.floor(Math.log10(Math.min(...known))));
}

function withDecimals(rows: readonly MetricRow[], decimals: number | undefined): Format {
  const largest = Math.max(...rows.map(({ description }) => Math.abs(description.mean)));
  if (decimals === undefined || !(largest < 1e6) || decimals > 6) return formatNumber;
  return (value) => fixed(value, decimals);
}

/** Not a number and infinities have no decimals; a difference that rounds to nothing has no sign. */
function fixed(value: number, decimals: number): string {
  return Number.isFinite(value)
    ? value.toFixed(decimals).replace(/^-(0(?:\.0*)?)$/, '$1')
    : String(value).replace('Infinity', '∞');
}

/** With a plus sign where it is one, a dash where there is no number. */
export function signed(value: number, format: Format): string {
  if (Number.isNaN(value)) return '–';
  const text = format(value);
  return value > 0 && /[1-9∞I]/.test(text) ? `+${text}` : text;
}

/** Nothing when it is not known. */
export function formatInterval({ low, high }: Interval, format: Format): string {
  return Number.isNaN(low) || Number.isNaN(high) ? '' : `[${signed(low, format)}, ${signed(high, format)}]`;
}

/** How many values, and of how many the difference is: where pairs are broken, it is not that of the means beside it. */
export function formatCount({ description: { n }, comparison }: MetricRow): string {
  return comparison !== undefined && comparison.pairs < n ? `${n} (${comparison.pairs} paired)` : String(n);
}

/**
 * Four decimals; more where these would name a threshold that the value is not, and so contradict the verdict beside it.
 *
 * @param alpha the threshold of that verdict
 */
export function formatP(p: number, alpha = Number.NaN): string {
  if (Number.isNaN(p)) return '–';
  if (p < 0.0001) return alpha <= 0.0001 && p > 0 ? p.toExponential(3) : '< 0.0001';
  for (let digits = 4; digits <= MAX_P_DIGITS; digits++) {
    const text = p.toFixed(digits);
    const shown = Number(text);
    if (shown === p || (!COULD_BE_ALPHA.test(text) && shown !== alpha)) return text;
  }
  const near = Number(p.toFixed(MAX_P_DIGITS));
  return `${p < near ? '<' : '>'} ${near}`;
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** In powers of 1024, as file systems count. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
