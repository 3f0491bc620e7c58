import { spellNonFinite } from '../runtime/manifest.ts';
import type { Interval } from '../statistics/outcome.ts';
import type { MetricRow, ReportModel, Verdict } from './model.ts';
import { readRow } from './reading.ts';

/** Of the form of summary.json; a number that rises when a reader of the last form could misread the next. */
export const SUMMARY_VERSION = 2;

/** Text of report/summary.json: the comparison as data, without times or hosts. Its schema is summary-schema.ts. */
export function renderSummary(model: ReportModel): string {
  const { experiment, description, conditions, missing, metrics, verdicts } = model;
  const head = {
    version: SUMMARY_VERSION,
    experiment,
    ...(description === undefined ? {} : { description }),
  };
  const lists = {
    conditions: conditions.map(({ failed, ...condition }) => ({ ...condition, failed: failed.length })),
    missing,
    metrics: metrics.map((row) => metricOf(model, row)),
    hypotheses: verdicts.map(hypothesisOf),
  };
  return `{\n${[
    ...Object.entries(head).map(([key, value]) => `  "${key}": ${JSON.stringify(value)}`),
    ...Object.entries(lists).map(([key, items]) => `  "${key}": ${linesOf(items)}`),
  ].join(',\n')}\n}\n`;
}

/** A list with one item a line: short, and a change of one item changes one line. */
function linesOf(items: readonly object[]): string {
  if (items.length === 0) return '[]';
  const lines = items.map((item) => `    ${JSON.stringify(item, spellNonFinite)}`);
  return `[\n${lines.join(',\n')}\n  ]`;
}

function hypothesisOf(verdict: Verdict) {
  const { hypothesis, verifier, condition, metrics, better, alpha, alternative, margin } = verdict;
  const { require, result, corrected, gate } = verdict;
  return {
    hypothesis,
    verifier,
    condition,
    metrics,
    ...(better === undefined ? {} : { better }),
    ...(alpha === undefined ? {} : { alpha }),
    ...(alternative === undefined ? {} : { alternative }),
    ...(margin === undefined ? {} : { margin }),
    ...(require === undefined ? {} : { require }),
    ...(corrected === undefined ? {} : corrected),
    ...(gate === undefined ? {} : { gate }),
    ...(result.ok ? { result: result.values } : { error: result.message }),
  };
}

function metricOf(model: ReportModel, row: MetricRow) {
  const { metric, condition, description, interval, sample, comparison } = row;
  return {
    metric,
    condition,
    ...description,
    ...ends(interval),
    ...(sample.nested ? { nested: true } : {}),
    values: sample.values.map((value) => value ?? null),
    ...(comparison === undefined
      ? {}
      : {
          comparison: {
            difference: comparison.difference,
            ...ends(comparison.interval),
            effect_size: comparison.effect,
            effect: 'd_z',
            p_value: comparison.p,
            p_adjusted: comparison.adjusted,
            pairs: comparison.pairs,
            reading: readRow(model, row)?.word ?? null,
          },
        }),
  };
}

function ends({ low, high }: Interval) {
  return { ci_low: low, ci_high: high };
}
