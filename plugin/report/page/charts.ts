import { printable } from '../../base/diagnostics.ts';
import type { MetricRow } from '../model.ts';
import { drawable, type Scale, scaleOf } from './scale.ts';

/** Ours: the style sheet replaces them where the page is dark. */
export const INK = '#1f2933';
export const FAINT = '#d5dae1';
export const POINTS = '#5b8db8';
export const ACCENT = '#0b5cad';
export const HOLLOW = '#ffffff';

/** In pixels of a chart that is shown at its natural size. A phone shows it at four fifths. */
const WIDTH = 460;
const NAMES = 148;
const FONT = 12;
const MARGIN = { top: 6, right: 14, bottom: 26 };
const MAX_NAME = 19;

/** Beyond it, points of a condition would hide each other. */
export const MOST_POINTS = 150;
/** Up to it, points take less room than a density, and tell more. */
export const FEW_POINTS = 20;
const BINS = 48;
/** Of the height of a row, to either side. */
const REACH = 0.36;

type Datum = Readonly<Record<string, number | string>>;

/** So much of a Vega-Lite specification as charts of ours have. */
export interface ChartSpec {
  /** In pixels, without the margins. */
  readonly height: number;
  readonly layer: readonly {
    readonly data: { readonly name?: string; readonly values: readonly Datum[] };
    readonly encoding: Readonly<Record<string, ChartChannel>>;
  }[];
}

export interface ChartChannel {
  readonly scale?: { readonly domain: readonly [number, number] };
  readonly axis?: { readonly values: readonly number[]; readonly format?: string } | null;
}

/** All replicates of a metric by condition, as points or, of many, as densities; mean and interval on top. */
export function valuesChart(rows: readonly MetricRow[], dense: boolean): ChartSpec {
  const all = rows.flatMap(({ sample, interval }) => [...sample.values, interval.low, interval.high]);
  const scale = scaleOf(all);
  const replicates = dense
    ? {
        data: { values: rows.flatMap((row, i) => densityOf(row, i, scale)) },
        mark: { type: 'area', color: POINTS, opacity: 0.55 },
        encoding: {
          x: { field: 'value', ...valueScale(scale) },
          y: { field: 'top', ...rowScale(rows.length) },
          y2: { field: 'bottom' },
          detail: { field: 'row' },
        },
      }
    : {
        data: { values: rows.flatMap(pointsOf) },
        mark: { type: 'circle', color: POINTS, size: 18, opacity: 0.6 },
        encoding: {
          x: { field: 'value', ...valueScale(scale) },
          y: { field: 'at', ...rowScale(rows.length) },
        },
      };
  const means = rows.flatMap((row, i) => estimateOf(i, row.description.mean, row.interval, true));
  return chart(rows, scale, [replicates, ...estimateLayers(means, scale, rows.length)]);
}

/**
 * The mean difference of every condition from the baseline, pair by pair, with its interval, against zero.
 *
 * @param decided for each row, whether it differs by more than chance explains
 */
export function differencesChart(rows: readonly MetricRow[], decided: readonly boolean[]): ChartSpec {
  const compared = rows.map(({ comparison }) => comparison);
  const scale = scaleOf([
    0,
    ...compared.flatMap((c) => (c === undefined ? [] : [c.difference, c.interval.low, c.interval.high])),
  ]);
  const estimates = compared.flatMap((c, i) =>
    c === undefined ? [] : estimateOf(i, c.difference, c.interval, decided[i] === true),
  );
  const zero = {
    data: { values: [{ value: 0 }] },
    mark: { type: 'rule', color: INK, strokeWidth: 1, strokeDash: [4, 3] },
    encoding: { x: { field: 'value', ...valueScale(scale) } },
  };
  return chart(rows, scale, [zero, ...estimateLayers(estimates, scale, rows.length)]);
}

/**
 * Rows and names are placed by number: no name is ever a field, an expression or a key of Vega's, and nothing is laid
 * out by the width of a text, which differs from machine to machine.
 */
function chart(rows: readonly MetricRow[], scale: Scale, layers: readonly object[]): ChartSpec {
  const height = rows.length * rowHeight(rows.length);
  const names = rows.map(({ condition }, row) => ({ name: clip(printable(condition)), at: row + 0.5 }));
  const grid = {
    data: { values: [{ value: scale.low }] },
    mark: { type: 'rule', opacity: 0 },
    encoding: { x: { field: 'value', ...valueScale(scale) } },
  };
  const labels = {
    data: { values: names },
    mark: { type: 'text', align: 'right', baseline: 'middle', dx: -10, color: INK, fontSize: FONT },
    encoding: {
      x: { value: 0 },
      y: { field: 'at', ...rowScale(rows.length) },
      text: { field: 'name', type: 'nominal' },
    },
  };
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: WIDTH - NAMES - MARGIN.right,
    height,
    padding: { left: NAMES, ...MARGIN },
    autosize: { type: 'none' },
    background: null,
    layer: [grid, ...layers, labels],
    config: {
      aria: false,
      font: 'sans-serif',
      view: { stroke: null },
      axis: {
        domain: false,
        ticks: false,
        gridColor: FAINT,
        labelColor: INK,
        labelFontSize: FONT,
        labelPadding: 6,
        labelOverlap: false,
        labelBound: false,
        labelLimit: 0,
      },
    },
  };
  return spec as unknown as ChartSpec;
}

function rowHeight(rows: number): number {
  return rows <= 8 ? 36 : 24;
}

function valueScale({ low, high, ticks, format }: Scale): object {
  return {
    type: 'quantitative',
    scale: { domain: [low, high], nice: false, zero: false },
    axis: { values: ticks, format, title: null, grid: true },
  };
}

function rowScale(rows: number): object {
  return {
    type: 'quantitative',
    scale: { domain: [0, rows], nice: false, reverse: true },
    axis: null,
  };
}

/** A replicate has the same place in its row under every condition. */
function pointsOf({ sample }: MetricRow, row: number): Datum[] {
  return sample.values.flatMap((raw, replicate) => {
    const value = drawable(raw);
    if (value === undefined) return [];
    // Multiples of the golden ratio spread evenly, however many there are.
    const spread = ((replicate * 0.618034 + 0.5) % 1) - 0.5;
    return [{ replicate, value, at: rounded(row + 0.5 + 2 * REACH * 0.8 * spread) }];
  });
}

function densityOf({ sample }: MetricRow, row: number, { low, high }: Scale): Datum[] {
  const width = (high - low) / BINS;
  const counts = new Array<number>(BINS).fill(0);
  for (const raw of sample.values) {
    const value = drawable(raw);
    if (value === undefined) continue;
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor((value - low) / width)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const most = Math.max(1, ...counts);
  // Far from zero, bins differ in later digits only.
  const steps = Math.max(Math.abs(low), Math.abs(high)) / width;
  const digits = Math.min(15, Math.max(6, Math.ceil(Math.log10(steps)) + 2));
  return counts.map((count, bin) => {
    const reach = (REACH * count) / most;
    return {
      row,
      value: Number((low + (bin + 0.5) * width).toPrecision(digits)),
      count,
      top: rounded(row + 0.5 - reach),
      bottom: rounded(row + 0.5 + reach),
    };
  });
}

function estimateOf(
  row: number,
  value: number,
  { low, high }: { readonly low: number; readonly high: number },
  decided: boolean,
): Datum[] {
  const center = drawable(value);
  if (center === undefined) return [];
  const [from, to] = [drawable(low) ?? center, drawable(high) ?? center];
  return [{ at: row + 0.5, value: center, low: from, high: to, decided: decided ? 1 : 0 }];
}

/** Filled where the estimate tells something, hollow where it may be chance. */
function estimateLayers(estimates: readonly Datum[], scale: Scale, rows: number): object[] {
  const y = { field: 'at', ...rowScale(rows) };
  const marks = (filled: boolean) => ({
    data: { values: estimates.filter(({ decided }) => decided === (filled ? 1 : 0)) },
    mark: {
      type: 'point',
      shape: 'circle',
      size: 64,
      filled: true,
      fill: filled ? ACCENT : HOLLOW,
      stroke: ACCENT,
      strokeWidth: 2,
      opacity: 1,
    },
    encoding: { x: { field: 'value', ...valueScale(scale) }, y },
  });
  return [
    {
      data: { values: estimates },
      mark: { type: 'rule', color: ACCENT, strokeWidth: 2.5 },
      encoding: { x: { field: 'low', ...valueScale(scale) }, x2: { field: 'high' }, y },
    },
    marks(true),
    marks(false),
  ];
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Names of conditions often differ at their ends only. */
function clip(name: string): string {
  const characters = [...name];
  if (characters.length <= MAX_NAME) return name;
  const half = Math.floor(MAX_NAME / 2);
  return `${characters.slice(0, half).join('')}…${characters.slice(-half).join('')}`;
}
