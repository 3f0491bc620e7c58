import { bytesOf, escapeMarkdown, type MarkdownTable, renderMarkdownTable } from './markdown-text.ts';
import { ALPHA, groupVerdicts, type MetricRow, type ReportModel, type Verdict } from './model.ts';
import {
  count,
  type Formats,
  formatCount,
  formatEffect,
  formatInterval,
  formatNumber,
  formatsByMetric,
  formatsOf,
  signed,
} from './numbers.ts';
import { type Reading, readRow } from './reading.ts';
import { settingsOf } from './settings.ts';
import { verdictSentence } from './verdict-sentence.ts';
import { remarkLines, VerdictValues } from './verdict-values.ts';

/** A comment on a pull request may have 65,536 characters. */
const LIMIT = 58_000;
/** Of the limit, what the first table may take; the rest is for what is folded. */
const TABLE_LIMIT = 30_000;
const MAX_CELL = 80;
const MAX_REASON = 1000;
const MAX_GATES = 10;

/** A part of the report that is folded until somebody asks. */
interface Details {
  readonly summary: string;
  /** Before the table. */
  readonly notes: readonly string[];
  readonly table: MarkdownTable | undefined;
}

/** Text of report/report.md: fits a comment on a pull request, whatever the size of the experiment. */
export function renderMarkdown(model: ReportModel): string {
  const parts = [
    `## ${escapeMarkdown(model.experiment, MAX_CELL)}\n`,
    ...(model.description === undefined ? [] : [`${escapeMarkdown(model.description)}\n`]),
    `**${escapeMarkdown(verdictSentence(model), MAX_REASON)}**\n`,
    ...gatesOf(model),
    metricSection(model),
  ];
  let left = LIMIT - bytesOf(parts.join('\n'));
  for (const details of [
    ...groupVerdicts(model.verdicts).map(verdictDetails),
    parameterDetails(model),
    failureDetails(model),
  ]) {
    if (details === undefined) continue;
    const text = renderDetails(details, left);
    left -= bytesOf(text) + 1;
    if (text !== '') parts.push(text);
  }
  return parts.join('\n');
}

/** The first is in the sentence above. */
function gatesOf({ verdicts }: ReportModel): string[] {
  const gates = verdicts.flatMap(({ gate }) =>
    gate === undefined ? [] : [escapeMarkdown(gate, MAX_REASON)],
  );
  if (gates.length < 2) return [];
  const more = gates.length > MAX_GATES ? [`- and ${gates.length - MAX_GATES} more`] : [];
  return [
    `Gates that fail:\n\n${[...gates.slice(0, MAX_GATES).map((gate) => `- ${gate}`), ...more].join('\n')}\n`,
  ];
}

function metricSection(model: ReportModel): string {
  const { metrics: rows } = model;
  if (rows.length === 0) return 'No metrics were recorded.\n';
  const readings = rows.map((row) => readRow(model, row));
  const formats = formatsByMetric(rows);
  const table = {
    head: ['metric', 'condition', 'mean ± sd:', 'n:', 'vs baseline [95 % interval]:', 'd_z:', 'verdict'],
    rows: rows.map((row, i) =>
      metricCells(
        row,
        readings[i],
        row.metric === rows[i - 1]?.metric,
        formats.get(row.metric) ?? formatsOf([row]),
      ),
    ),
  };
  const { text, left } = renderMarkdownTable(table, TABLE_LIMIT);
  const unasked = readings.some(
    (reading) => reading && reading.verdict === undefined && reading.word !== 'same',
  );
  const notes = [
    ...(left > 0 ? [`${count(left, 'more row')} in summary.json.`] : []),
    ...(unasked ? [`(verdict): no hypothesis decides; paired t tests at ${ALPHA}, Holm-corrected.`] : []),
    ...(rows.some(({ sample }) => sample.nested)
      ? ['A metric recorded several times in a replicate counts with its mean there.']
      : []),
  ];
  return notes.length === 0 ? text : `${text}\n${notes.join(' ')}\n`;
}

function metricCells(
  row: MetricRow,
  reading: Reading | undefined,
  repeated: boolean,
  [format, formatDifference]: Formats,
): string[] {
  const { metric, condition, description, comparison } = row;
  const spread = Number.isNaN(description.sd) ? '' : ` ± ${format(description.sd)}`;
  const missing = description.missing > 0 ? ` (${description.missing} NaN)` : '';
  return [
    repeated ? '' : escapeMarkdown(metric, MAX_CELL),
    escapeMarkdown(condition, MAX_CELL),
    `${format(description.mean)}${spread}${missing}`,
    formatCount(row),
    comparison === undefined
      ? ''
      : `${signed(comparison.difference, formatDifference)} ${formatInterval(comparison.interval, formatDifference)}`.trim(),
    comparison === undefined || Number.isNaN(comparison.effect) ? '' : formatEffect(comparison.effect),
    wordOf(reading),
  ];
}

function wordOf(reading: Reading | undefined): string {
  if (reading === undefined) return '';
  const word = reading.word === 'better' || reading.word === 'worse' ? `**${reading.word}**` : reading.word;
  return reading.verdict === undefined && reading.word !== 'same' ? `(${word})` : word;
}

function verdictDetails(verdicts: readonly Verdict[]): Details | undefined {
  const all = verdicts.map((verdict) => new VerdictValues(verdict));
  const [first] = all;
  if (first === undefined) return undefined;
  const { hypothesis, verifier, builtIn } = first.verdict;
  return {
    summary: `${escapeMarkdown(hypothesis, MAX_CELL)}: ${escapeMarkdown(verifier, MAX_CELL)}, each condition vs baseline${first.correction}${first.asked}`,
    notes: builtIn ? remarksOf(verdicts) : verdicts.flatMap(failureLine),
    table: builtIn ? testTable(all) : valueTable(all),
  };
}

function remarksOf(verdicts: readonly Verdict[]): string[] {
  return remarkLines(verdicts).map(({ conditions, metrics, remarks }) => {
    const names = conditions.map((condition) => escapeMarkdown(condition, MAX_CELL)).join(', ');
    const told = remarks.map((remark) => escapeMarkdown(remark)).join('; ');
    return `- ${names} on ${escapeMarkdown(metrics, MAX_CELL)}: ${told}`;
  });
}

function failureLine(verdict: Verdict): string[] {
  return verdict.result.ok
    ? []
    : [`- ${subjectOf(verdict)}: ${escapeMarkdown(verdict.result.message, MAX_REASON)}`];
}

function subjectOf({ condition, metrics }: Verdict): string {
  return `${escapeMarkdown(condition, MAX_CELL)} on ${escapeMarkdown(metrics.join(', '), MAX_CELL)}`;
}

function testTable(all: readonly VerdictValues[]): MarkdownTable {
  const corrected = all[0]?.isCorrected ?? false;
  return {
    head: [
      ...['condition', 'metric', 'difference:', 'interval:', 'p:'],
      ...(corrected ? ['corrected:'] : []),
      ...[`${all[0]?.effectName}:`, 'n:', 'significant'],
    ],
    rows: all.map((values) => [
      escapeMarkdown(values.verdict.condition, MAX_CELL),
      escapeMarkdown(values.verdict.metrics.join(', '), MAX_CELL),
      signed(values.number('difference'), formatNumber),
      values.interval,
      escapeMarkdown(values.p('p_value')),
      ...(corrected ? [escapeMarkdown(values.p('p_adjusted'))] : []),
      formatEffect(values.number('effect_size')),
      String(values.number('n')),
      values.significant ? 'yes' : 'no',
    ]),
  };
}

function valueTable(all: readonly VerdictValues[]): MarkdownTable | undefined {
  const good = all.filter(({ verdict }) => verdict.result.ok);
  const keys = [
    ...new Set(good.flatMap(({ verdict: { result } }) => (result.ok ? Object.keys(result.values) : []))),
  ];
  if (keys.length === 0) return undefined;
  return {
    head: ['condition', 'metric', ...keys.map((key) => escapeMarkdown(key, MAX_CELL))],
    rows: good.map((values) => [
      escapeMarkdown(values.verdict.condition, MAX_CELL),
      escapeMarkdown(values.verdict.metrics.join(', '), MAX_CELL),
      ...keys.map((key) => escapeMarkdown(values.text(key), MAX_CELL)),
    ]),
  };
}

function parameterDetails({ conditions }: ReportModel): Details | undefined {
  const rows = settingsOf(conditions).filter(({ differs }) => differs);
  if (rows.length === 0) return undefined;
  return {
    summary: 'Parameters that differ',
    notes: [],
    table: {
      head: ['parameter', ...conditions.map(({ condition }) => escapeMarkdown(condition, MAX_CELL))],
      rows: rows.map(({ name, values }) => [
        escapeMarkdown(name, MAX_CELL),
        ...values.map((value) => escapeMarkdown(value ?? '', MAX_CELL)),
      ]),
    },
  };
}

function failureDetails({ conditions }: ReportModel): Details | undefined {
  const failed = conditions.flatMap(({ condition, failed: replicates }) =>
    replicates.map((failure) => ({ condition, ...failure })),
  );
  if (failed.length === 0) return undefined;
  return {
    summary: `${count(failed.length, 'replicate')} failed`,
    notes: [],
    table: {
      head: ['condition', 'replicate:', 'seed:', 'reason'],
      rows: failed.map(({ condition, replicate, seed, reason }) => [
        escapeMarkdown(condition, MAX_CELL),
        String(replicate),
        String(seed),
        escapeMarkdown(reason, MAX_REASON),
      ]),
    },
  };
}

/** Nothing when not even its beginning fits. */
function renderDetails({ summary, notes, table }: Details, budget: number): string {
  const open = `<details><summary>${summary}</summary>\n\n`;
  const close = '\n</details>\n';
  let room = budget - bytesOf(open) - bytesOf(close) - 100;
  if (room < 200) return '';
  const rendered = table && renderMarkdownTable(table, room);
  const parts: string[] = [];
  if (rendered !== undefined) {
    room -= bytesOf(rendered.text);
    parts.push(rendered.text);
    if (rendered.left > 0) parts.push(`\n${count(rendered.left, 'more row')} in summary.json.\n`);
  }
  const lines = notes.filter((note) => {
    room -= bytesOf(note) + 1;
    return room >= 0;
  });
  if (lines.length > 0) parts.push(`${parts.length > 0 ? '\n' : ''}${lines.join('\n')}\n`);
  return `${open}${parts.join('')}${close}`;
}
