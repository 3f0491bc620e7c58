import { isBuiltInTest } from '../statistics/built-in.ts';
import { ALPHA, type MetricRow, type PairedComparison, type ReportModel, type Verdict } from './model.ts';

/** What the numbers say of one metric under one condition, in a word. */
export interface Reading {
  readonly word: 'better' | 'worse' | 'higher' | 'lower' | 'equivalent' | 'same' | 'unclear';
  /** The verdict that says so; undefined when no hypothesis decides, and all rows were tested alike. */
  readonly verdict: Verdict | undefined;
}

/** Reads a row by the first hypothesis that asks for its metric, else by the paired t tests of the whole report. */
export function readRow({ verdicts }: ReportModel, row: MetricRow): Reading | undefined {
  const { comparison, metric, condition } = row;
  const verdict = verdicts.find(
    (one) => one.condition === condition && one.metrics.length === 1 && one.metrics[0] === metric,
  );
  if (comparison !== undefined && comparison.pairs > 0 && isSame(comparison))
    return { word: 'same', verdict };
  if (verdict !== undefined) {
    const word = wordOf(verdict, comparison?.difference);
    if (word !== undefined) return { word, verdict };
  }
  if (comparison === undefined || comparison.pairs === 0) return undefined;
  const { difference, adjusted, pairs } = comparison;
  if (pairs < 2) return undefined;
  if (!(adjusted < ALPHA)) return { word: 'unclear', verdict: undefined };
  return { word: difference > 0 ? 'higher' : 'lower', verdict: undefined };
}

/** Whether a condition was found to differ from the baseline. */
export function isDifference({ word }: Reading): boolean {
  return word !== 'unclear' && word !== 'same' && word !== 'equivalent';
}

/** No replicate differs from that of the baseline; of a single one, that it is said to be the same would say too much. */
function isSame({ difference, interval: { low, high } }: PairedComparison): boolean {
  return difference === 0 && low === 0 && high === 0;
}

/** Undefined when the verdict does not say whether it is significant. */
function wordOf(
  { result, verifier, builtIn, better }: Verdict,
  observed = Number.NaN,
): Reading['word'] | undefined {
  if (!result.ok || typeof result.values.significant !== 'boolean') return undefined;
  if (!result.values.significant) return 'unclear';
  if (builtIn && isBuiltInTest(verifier) && verifier === 'equivalence') return 'equivalent';
  const difference = typeof result.values.difference === 'number' ? result.values.difference : observed;
  if (Number.isNaN(difference)) return undefined;
  if (difference === 0) return 'unclear';
  const side = difference > 0 ? 'higher' : 'lower';
  if (better === undefined) return side;
  return side === better ? 'better' : 'worse';
}
