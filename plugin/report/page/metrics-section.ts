import { ALPHA, type MetricRow, type PairedComparison, type ReportModel } from '../model.ts';
import {
  count,
  formatCount,
  formatEffect,
  formatInterval,
  formatP,
  formatsOf,
  formatWithin,
  signed,
} from '../numbers.ts';
import { isDifference, type Reading, readRow } from '../reading.ts';
import { VerdictValues } from '../verdict-values.ts';
import { type ChartSpec, differencesChart, FEW_POINTS, MOST_POINTS, valuesChart } from './charts.ts';
import type { DrawChart } from './draw.ts';
import { type Content, type Html, html, renderSection, renderTable } from './html.ts';

/** Of the whole page: where there are more, all but a few points of a condition are drawn as densities. */
const ALL_POINTS = 8000;
/** Metrics beyond it have their table only: a page must open at once. */
const MOST_CHARTS = 40;

/** Every metric: its charts and its numbers. */
export async function metricsSection(model: ReportModel, drawer: () => Promise<DrawChart>): Promise<Content> {
  if (model.metrics.length === 0)
    return renderSection('metrics', 'Metrics', html`<p>No metrics were recorded.</p>\n`);
  const draw = await drawer();
  const groups = byMetric(model.metrics);
  const points = model.metrics.reduce((sum, { sample }) => sum + sample.values.length, 0);
  const blocks: Html[] = [];
  for (const [i, rows] of groups.entries()) {
    const charts = i < MOST_CHARTS ? await chartsOf(model, rows, points > ALL_POINTS, draw) : undefined;
    blocks.push(metricBlock(model, rows, charts));
  }
  return renderSection('metrics', 'Metrics', [...blocks, method(model)]);
}

function byMetric(rows: readonly MetricRow[]): MetricRow[][] {
  const groups = new Map<string, MetricRow[]>();
  for (const row of rows) {
    const group = groups.get(row.metric);
    if (group === undefined) groups.set(row.metric, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

async function chartsOf(
  model: ReportModel,
  rows: readonly MetricRow[],
  crowded: boolean,
  draw: DrawChart,
): Promise<Html> {
  const metric = rows[0]?.metric ?? '';
  const most = crowded ? FEW_POINTS : MOST_POINTS;
  const dense = rows.some(({ sample }) => sample.values.length > most);
  const values = await figure(
    dense
      ? 'Distribution of the replicates, mean with 95 % interval'
      : 'All replicates, mean with 95 % interval',
    `${metric} by condition. ${rows.map(valueWords).join('; ')}.`,
    valuesChart(rows, dense),
    draw,
    notShown(rows),
  );
  const compared = rows.filter(({ comparison }) => comparison !== undefined);
  if (compared.length === 0) return html`<div class="charts">\n${values}</div>\n`;
  const readings = rows.map((row) => readRow(model, row));
  const differences = await figure(
    'Paired difference from the baseline, 95 % interval (hollow: no difference found)',
    `Paired differences of ${metric} from the baseline. ${compared.map(differenceWords).join('; ')}.`,
    differencesChart(
      rows,
      readings.map((reading) => reading !== undefined && isDifference(reading)),
    ),
    draw,
  );
  return html`<div class="charts">\n${values}${differences}</div>\n`;
}

async function figure(
  caption: string,
  label: string,
  spec: ChartSpec,
  draw: DrawChart,
  note?: string,
): Promise<Html> {
  return html`<figure>
<figcaption>${caption}${note}</figcaption>
<div class="chart" role="img" aria-label="${label}">${await draw(spec)}</div>
<details class="spec"><summary>Specification</summary><pre tabindex="0" aria-label="Vega-Lite specification">${JSON.stringify(spec)}</pre></details>
</figure>
`;
}

function valueWords({ condition, description: { mean, n }, interval }: MetricRow): string {
  const format = formatWithin(interval);
  return `${condition}: mean ${format(mean)} ${formatInterval(interval, format)}, n ${n}`;
}

function differenceWords({ condition, comparison }: MetricRow): string {
  if (comparison === undefined) return condition;
  const { difference, interval } = comparison;
  const format = formatWithin(interval);
  return `${condition}: ${signed(difference, format)} ${formatInterval(interval, format)}`;
}

/** NaN is a missing value and counted in the table; infinities are values that no scale holds. */
function notShown(rows: readonly MetricRow[]): string | undefined {
  const infinite = rows
    .flatMap(({ sample }) => sample.values)
    .filter((value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY).length;
  return infinite === 0 ? undefined : `; without ${count(infinite, 'infinite value')}`;
}

function metricBlock(model: ReportModel, rows: readonly MetricRow[], charts: Html | undefined): Html {
  const metric = rows[0]?.metric ?? '';
  const [format, formatDifference] = formatsOf(rows);
  const missing = rows.some(({ description }) => description.missing > 0);
  const compared = rows.some(({ comparison }) => comparison !== undefined);
  const columns = [
    { title: 'Condition' },
    // Before the numbers: on a narrow screen these lie beyond the edge.
    ...(compared ? [{ title: 'Reading' }] : []),
    { title: 'n', numeric: true },
    ...(missing ? [{ title: 'NaN', numeric: true }] : []),
    { title: 'Mean', numeric: true },
    { title: 'SD', numeric: true },
    { title: '95 % interval', numeric: true },
    ...(compared
      ? [
          { title: 'Difference', numeric: true },
          { title: '95 % interval', numeric: true },
          { title: 'd_z', numeric: true },
          { title: 'p', numeric: true },
          { title: 'corrected', numeric: true },
        ]
      : []),
  ];
  const cells = rows.map((row): Content[] => {
    const { condition, description, interval, comparison } = row;
    const reading = readRow(model, row);
    return [
      condition,
      ...(compared ? [comparison === undefined ? '' : readingBadge(reading)] : []),
      formatCount(row),
      ...(missing ? [description.missing] : []),
      format(description.mean),
      Number.isNaN(description.sd) ? '' : format(description.sd),
      plainInterval(interval.low, interval.high, format),
      ...(!compared
        ? []
        : comparison === undefined
          ? ['', '', '', '', '']
          : [
              signed(comparison.difference, formatDifference),
              formatInterval(comparison.interval, formatDifference),
              Number.isNaN(comparison.effect) ? '' : formatEffect(comparison.effect),
              ...pValues(comparison, reading),
            ]),
    ];
  });
  const nested = rows.some(({ sample }) => sample.nested)
    ? html`<p class="note">Recorded several times in a replicate: its mean counts.</p>\n`
    : undefined;
  return html`<article>
<h3>${metric}</h3>
${nested}${charts}${renderTable(`Numbers of ${metric}`, columns, cells)}</article>
`;
}

function plainInterval(low: number, high: number, format: (value: number) => string): string {
  return Number.isNaN(low) || Number.isNaN(high) ? '' : `[${format(low)}, ${format(high)}]`;
}

const SIGNS: Readonly<Record<Reading['word'], string>> = {
  better: '▲',
  worse: '▼',
  higher: '↑',
  lower: '↓',
  equivalent: '≈',
  same: '=',
  unclear: '?',
};

/** Those of the hypothesis that reads the row, where one does. */
function pValues({ p, adjusted }: PairedComparison, reading: Reading | undefined): Content[] {
  const values = reading?.verdict === undefined ? undefined : new VerdictValues(reading.verdict);
  const [raw, corrected] =
    values === undefined ? [p, adjusted] : [values.number('p_value'), values.number('p_adjusted')];
  return [
    Number.isNaN(raw) ? '' : formatP(raw, reading?.verdict?.alpha),
    Number.isNaN(corrected) ? '' : formatP(corrected, reading?.verdict?.alpha),
  ];
}

/** The word in brackets where no hypothesis decides; what is the same needs no test. */
function readingBadge(reading: Reading | undefined): Content {
  if (reading === undefined) return '';
  const { word, verdict } = reading;
  return html`<span class="badge ${word}"><span aria-hidden="true">${SIGNS[word]}</span> ${verdict === undefined && word !== 'same' ? `(${word})` : word}</span>`;
}

function method({ metrics }: ReportModel): Html | undefined {
  const tests = metrics.filter(({ comparison }) => comparison && !Number.isNaN(comparison.p)).length;
  if (tests === 0) return undefined;
  return html`<p class="note">Differences are condition minus baseline, replicate by replicate; intervals are by Student's t, d_z is the mean over the
standard deviation of the differences. A reading is that of the hypothesis that asks for the metric, with its p-values. In brackets, where none decides, it is
of paired t tests, corrected by Holm's method over the ${count(tests, 'comparison')} here, at ${ALPHA}.</p>
`;
}
