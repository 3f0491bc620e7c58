import { spellNonFinite } from '../../runtime/manifest.ts';
import type { DiffModel, DiffRow } from './model.ts';
import type { SummaryMetric } from './parse-summary.ts';

/** Of the form; rises when a reader of the last form could misread the next. */
const VERSION = 1;

/** The difference as data; numbers that JSON lacks are spelled. */
export function renderDiffJson(model: DiffModel): string {
  const { rows, newConditions, goneConditions, ...rest } = model;
  const data = {
    version: VERSION,
    ...rest,
    new_conditions: newConditions,
    gone_conditions: goneConditions,
    metrics: rows.map(rowOf),
  };
  return `${JSON.stringify(data, spellNonFinite, 2)}\n`;
}

function rowOf({ metric, condition, before, after, comparison, word }: DiffRow): object {
  return {
    metric,
    condition,
    before: sideOf(before),
    after: sideOf(after),
    ...(comparison === undefined
      ? {}
      : {
          difference: comparison.difference,
          ci_low: comparison.interval.low,
          ci_high: comparison.interval.high,
          effect_size: comparison.effect.size,
          effect: comparison.effect.name,
          p_value: comparison.p,
          p_adjusted: comparison.adjusted,
          n: comparison.n,
          method: comparison.method,
          why: comparison.why,
        }),
    reading: word,
  };
}

function sideOf(side: SummaryMetric | undefined): object | null {
  return side === undefined ? null : { n: side.n, missing: side.missing, mean: side.mean, sd: side.sd };
}
