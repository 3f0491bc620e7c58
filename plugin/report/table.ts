import { styleText } from 'node:util';
import { printable } from '../base/diagnostics.ts';
import { largest } from '../base/largest.ts';
import { ALPHA, groupVerdicts, type MetricRow, type ReportModel, type Verdict } from './model.ts';
import {
  count,
  type Format,
  formatCount,
  formatEffect,
  formatInterval,
  formatNumber,
  formatShort,
  formatsByMetric,
  signed,
} from './numbers.ts';
import { type Reading, readRow } from './reading.ts';
import { clipNames, columnsToTell, GAP, MAX_WIDTH, renderGrid, widthsOf, wrap } from './text-grid.ts';
import { remarkLines, VerdictValues } from './verdict-values.ts';

const MAX_NAME = 28;
/** With less room for a name, numbers give up digits and columns. */
const MIN_NAME = 12;

const COLOURS: Readonly<Record<Reading['word'], Parameters<typeof styleText>[0]>> = {
  better: 'green',
  equivalent: 'green',
  worse: 'red',
  higher: 'cyan',
  lower: 'cyan',
  same: 'dim',
  unclear: 'dim',
};

/**
 * The comparison as plain text.
 *
 * @param colour for a terminal that shows it
 * @param width of the terminal: most columns
 */
export function renderTable(model: ReportModel, { colour = false, width = MAX_WIDTH } = {}): string {
  const metrics =
    model.metrics.length === 0 ? ['  No metrics were recorded.'] : metricTable(model, colour, width);
  const lines = [...heading(model, width), '', ...metrics];
  for (const verdicts of groupVerdicts(model.verdicts)) lines.push('', ...renderVerdicts(verdicts, width));
  const troubles = troublesOf(model);
  if (troubles.length > 0) lines.push('', ...troubles.flatMap((text) => wrap(text, { width })));
  return `${lines.join('\n')}\n`;
}

/** What went wrong, a sentence each. */
export function troublesOf({ conditions, missing }: ReportModel): string[] {
  return [
    ...conditions
      .filter(({ failed }) => failed.length > 0)
      .map(
        ({ condition, failed, finished }) =>
          `${printable(condition)}: ${failed.length} of ${count(failed.length + finished, 'replicate')} failed`,
      ),
    ...missing.map(({ condition, reason }) => `${printable(condition)}: not compared, ${printable(reason)}`),
  ];
}

function heading({ experiment, description, conditions }: ReportModel, width: number): string[] {
  const text = `${experiment}: ${description || count(conditions.length, 'condition')}`;
  return wrap(text, { width }).map((line) => line.replace(/^ {2}/, ''));
}

/** Ways to show the numbers of a row, the widest first: one is chosen that leaves room for the names. */
const LAYOUTS = [
  { interval: true, effect: true, short: false },
  { interval: true, effect: true, short: true },
  { interval: true, effect: false, short: true },
  { interval: false, effect: false, short: true },
] as const;
type Layout = (typeof LAYOUTS)[number];

function metricTable(model: ReportModel, colour: boolean, width: number): string[] {
  const rows = model.metrics;
  const readings = rows.map((row) => readRow(model, row));
  const longest = (names: readonly string[]): number =>
    Math.min(MAX_NAME, largest(names.map((name) => printable(name).length)));
  const [metric, condition] = [
    longest(['metric', ...rows.map((row) => row.metric)]),
    longest(['condition', ...rows.map((row) => row.condition)]),
  ];
  const namesOf = (column: 'metric' | 'condition'): string[] => [...new Set(rows.map((row) => row[column]))];
  const wanted =
    columnsToTell(namesOf('metric'), Math.min(metric, MIN_NAME), metric) +
    columnsToTell(namesOf('condition'), Math.min(condition, MIN_NAME), condition);
  const tables = LAYOUTS.map((layout) => numbersOf(rows, readings, layout));
  const numbers = tables.find((table) => roomFor(table, width) >= wanted) ?? tables[tables.length - 1] ?? [];
  const room = roomFor(numbers, width);
  const forCondition = Math.min(condition, Math.max(Math.floor(room / 2), room - metric));
  const shown = {
    metric: shownNames(namesOf('metric'), Math.min(metric, room - forCondition)),
    condition: shownNames(namesOf('condition'), forCondition),
  };
  const [head = [], ...cells] = numbers;
  const grid = renderGrid(
    [
      ['metric', 'condition', ...head],
      ...rows.map((row, i) => [
        row.metric === rows[i - 1]?.metric ? '' : (shown.metric.get(row.metric) ?? ''),
        shown.condition.get(row.condition) ?? '',
        ...(cells[i] ?? []),
      ]),
    ],
    2,
    { verdict: head.includes('verdict') },
  );
  const [title = '', rule = '', ...body] = grid;
  const painted = body.map((line, i) => (colour ? paint(line, readings[i]) : line));
  return [title, rule, ...painted, ...footnote(rows, readings, width), ...nestedNote(rows, width)];
}

/** What is shown of each name. */
function shownNames(names: readonly string[], width: number): ReadonlyMap<string, string> {
  const clipped = clipNames(names, width);
  return new Map(names.map((name, i) => [name, clipped[i] ?? name]));
}

/** Columns for the two names together. */
function roomFor(numbers: readonly (readonly string[])[], most: number): number {
  const taken = widthsOf(numbers).reduce((sum, width) => sum + GAP.length + width, 0);
  return most - taken - 2 * GAP.length;
}

function numbersOf(
  rows: readonly MetricRow[],
  readings: readonly (Reading | undefined)[],
  layout: Layout,
): string[][] {
  const { short } = layout;
  const compared = rows.some(({ comparison }) => comparison !== undefined);
  // A single replicate has a difference, and nothing to say of how sure it is.
  const interval = layout.interval && rows.some(({ comparison }) => comparison && comparison.pairs > 1);
  const effect = layout.effect && interval;
  const judged = readings.some((reading) => reading !== undefined);
  const head = [
    'mean ± sd',
    'n',
    ...(compared ? [`vs baseline${interval ? ' [95 % interval]' : ''}`] : []),
    ...(compared && effect ? ['d_z'] : []),
    ...(judged ? ['verdict'] : []),
  ];
  const formats = short ? undefined : formatsByMetric(rows);
  const cells = rows.map((row, i) => {
    const [format, formatDifference] = formats?.get(row.metric) ?? [formatShort, formatShort];
    const numbers = [renderSpread(row, format), formatCount(row)];
    const { comparison } = row;
    if (!compared) return numbers;
    const verdict = judged ? [wordOf(readings[i])] : [];
    if (comparison === undefined) return [...numbers, '', ...(effect ? [''] : []), ...verdict];
    const range = interval ? formatInterval(comparison.interval, formatDifference) : '';
    return [
      ...numbers,
      `${signed(comparison.difference, formatDifference)}${range === '' ? '' : ` ${range}`}`,
      ...(effect ? [Number.isNaN(comparison.effect) ? '' : formatEffect(comparison.effect)] : []),
      ...verdict,
    ];
  });
  return [head, ...cells];
}

/** In brackets where no hypothesis decides. */
function wordOf(reading: Reading | undefined): string {
  if (reading === undefined) return '';
  return reading.verdict === undefined && reading.word !== 'same' ? `(${reading.word})` : reading.word;
}

function footnote(
  rows: readonly MetricRow[],
  readings: readonly (Reading | undefined)[],
  width: number,
): string[] {
  const unasked = readings.some(
    (reading) => reading?.verdict === undefined && reading?.word !== 'same' && reading,
  );
  if (!unasked) return [];
  const tests = rows.filter(({ comparison }) => comparison && !Number.isNaN(comparison.p)).length;
  const how = tests > 1 ? `, Holm over ${tests}` : '';
  return wrap(`(verdict): no hypothesis decides; paired t test at ${ALPHA}${how}`, { width });
}

function nestedNote(rows: readonly MetricRow[], width: number): string[] {
  const names = [...new Set(rows.filter(({ sample }) => sample.nested).map(({ metric }) => metric))];
  if (names.length === 0) return [];
  return wrap(`${names.join(', ')}: recorded several times in a replicate; its mean counts`, { width });
}

/** The last word of a line. */
function paint(line: string, reading: Reading | undefined): string {
  if (reading === undefined) return line;
  const word = wordOf(reading);
  // A stream need not be looked at: whether there is colour was decided.
  return `${line.slice(0, -word.length)}${styleText(COLOURS[reading.word], word, { validateStream: false })}`;
}

function renderSpread({ description: { mean, sd, missing } }: MetricRow, format: Format): string {
  const spread = Number.isNaN(sd) ? '' : ` ± ${format(sd)}`;
  return `${format(mean)}${spread}${missing > 0 ? ` (${missing} NaN)` : ''}`;
}

/** A table of what the verifier returned; sentences where that would be too wide, or where it failed. */
function renderVerdicts(verdicts: readonly Verdict[], width: number): string[] {
  const [first] = verdicts;
  if (first?.builtIn) return renderTests(verdicts, width);
  const keys = [...new Set(verdicts.flatMap(({ result }) => (result.ok ? Object.keys(result.values) : [])))];
  const conditions = clipNames(
    verdicts.map(({ condition }) => condition),
    MAX_NAME,
  );
  const metrics = clipNames(
    verdicts.map((verdict) => verdict.metrics.join(', ')),
    MAX_NAME,
  );
  const rows = verdicts.map((verdict, i) => [
    conditions[i] ?? '',
    metrics[i] ?? '',
    ...keys.map((key) => new VerdictValues(verdict).text(key)),
  ]);
  const grid = renderGrid([['condition', 'metric', ...keys.map(printable)], ...rows], 2);
  const failed = verdicts.some(({ result }) => !result.ok);
  if (first === undefined || failed || isWider(grid, width))
    return verdicts.flatMap((verdict) => renderVerdict(verdict, width));
  const order = keys.includes('p_value') && verdicts.length > 1 ? ', smallest p_value first' : '';
  return [
    ...wrap(`${first.hypothesis} (${first.verifier}, each condition vs baseline${order})`, { width }),
    ...grid,
  ];
}

/** Columns of a test that may go where the terminal is narrow, the least of them first. */
const SPARED = ['p', 'effect', 'metric', 'interval'] as const;
type Spared = (typeof SPARED)[number];

/** What a built-in test says of each condition, and what it would take to say more. */
function renderTests(verdicts: readonly Verdict[], width: number): string[] {
  const all = verdicts.map((verdict) => new VerdictValues(verdict));
  const [first] = all;
  if (first === undefined) return [];
  const { hypothesis, verifier, metrics } = first.verdict;
  const onOne = verdicts.every((verdict) => verdict.metrics.join() === metrics.join());
  const mayGo = SPARED.filter((column) =>
    column === 'p' ? first.isCorrected : column === 'metric' ? onOne : true,
  );
  const tables = [...mayGo.keys(), mayGo.length].map((n) => {
    const gone = mayGo.slice(0, n);
    return { gone, grid: testGrid(all, (column) => !gone.includes(column)) };
  });
  const { gone, grid } =
    tables.find((table) => !isWider(table.grid, width)) ?? (tables.at(-1) as (typeof tables)[0]);
  const subject = gone.includes('metric') ? ` of ${metrics.join(', ')}` : '';
  return [
    ...wrap(
      `${hypothesis} (${verifier}${subject}, each condition vs baseline${first.correction}${first.asked})`,
      {
        width,
      },
    ),
    ...grid,
    ...remarkLines(verdicts).flatMap(({ conditions, metrics, remarks }) =>
      wrap(`${conditions.join(', ')} on ${metrics}: ${remarks.join('; ')}`, { width }),
    ),
  ];
}

function testGrid(all: readonly VerdictValues[], shows: (column: Spared) => boolean): string[] {
  const [first] = all;
  if (first === undefined) return [];
  const when = (is: boolean, cell: string): string[] => (is ? [cell] : []);
  const head = [
    'condition',
    ...when(shows('metric'), 'metric'),
    'difference',
    ...when(shows('interval'), 'interval'),
    ...when(shows('p'), 'p'),
    ...when(first.isCorrected, 'corrected'),
    ...when(shows('effect'), first.effectName),
    'significant',
  ];
  const names = (texts: string[]): string[] => clipNames(texts, columnsToTell(texts, MAX_NAME / 2, MAX_NAME));
  const conditions = names(all.map(({ verdict }) => verdict.condition));
  const metrics = names(all.map(({ verdict }) => verdict.metrics.join(', ')));
  const rows = all.map((values, i) => [
    conditions[i] ?? '',
    ...when(shows('metric'), metrics[i] ?? ''),
    signed(values.number('difference'), formatNumber),
    ...when(shows('interval'), values.interval),
    ...when(shows('p'), values.p('p_value')),
    ...when(first.isCorrected, values.p('p_adjusted')),
    ...when(shows('effect'), formatEffect(values.number('effect_size'))),
    values.significant ? 'yes' : 'no',
  ]);
  return renderGrid([head, ...rows], shows('metric') ? 2 : 1);
}

function isWider(lines: readonly string[], width: number): boolean {
  return lines.some((line) => line.length > width);
}

function renderVerdict(verdict: Verdict, width: number): string[] {
  const { hypothesis, condition, metrics, result } = verdict;
  const subject = `${hypothesis}, ${condition} vs baseline on ${metrics.join(', ')}`;
  if (!result.ok) return wrap(`${subject}: ${result.message}`, { width });
  const values = new VerdictValues(verdict);
  const shown = Object.entries(result.values).map(
    ([key, value]) => `${key} ${typeof value === 'string' ? JSON.stringify(value) : values.text(key)}`,
  );
  return wrap(`${subject}: ${shown.join(', ')}`, { width });
}
