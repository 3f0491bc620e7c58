import { ALPHA, type MetricRow, type PairedComparison, type ReportModel, type Verdict } from './model.ts';
import { asksForEquivalence, looksFor, sideOf } from './side.ts';

/** What the numbers say of one metric under one condition, in a word. */
export interface Reading {
  readonly word: 'better' | 'worse' | 'higher' | 'lower' | 'equivalent' | 'same' | 'unclear';
  /** The verdict that says so; undefined when no hypothesis decides, and all rows were tested alike. */
  readonly verdict: Verdict | undefined;
}

/**
 * Reads a row by the first hypothesis that asks for its metric, else by the paired t tests of the whole report: also where these
 * find a difference for which the hypothesis did not look. Undefined where nothing could be tested: what is unclear was.
 */
export function readRow({ verdicts }: ReportModel, row: MetricRow): Reading | undefined {
  const { comparison, metric, condition } = row;
  const verdict = verdicts.find(
    (one) => one.condition === condition && one.metrics.length === 1 && one.metrics[0] === metric,
  );
  if (comparison?.same) return { word: 'same', verdict };
  const unasked = comparison && readUnasked(comparison);
  const word = verdict && wordOf(verdict, comparison?.difference);
  if (verdict === undefined || word === undefined) return unasked;
  const isMissed =
    word === 'unclear' && unasked && isDifference(unasked) && !looksFor(verdict, comparison.difference);
  return isMissed ? unasked : { word, verdict };
}

function readUnasked({ difference, adjusted }: PairedComparison): Reading | undefined {
  if (Number.isNaN(adjusted)) return undefined;
  if (adjusted >= ALPHA) return { word: 'unclear', verdict: undefined };
  return { word: difference > 0 ? 'higher' : 'lower', verdict: undefined };
}

/** Whether a condition was found to differ from the baseline. */
export function isDifference({ word }: Reading): boolean {
  return word !== 'unclear' && word !== 'same' && word !== 'equivalent';
}

/** Undefined when the verdict does not say whether it is significant, or a test of ours had nothing to test. */
function wordOf(verdict: Verdict, observed = Number.NaN): Reading['word'] | undefined {
  const { result, builtIn, better } = verdict;
  if (!result.ok || typeof result.values.significant !== 'boolean') return undefined;
  if (!result.values.significant)
    return builtIn && Number.isNaN(result.values.p_value) ? undefined : 'unclear';
  if (asksForEquivalence(verdict)) return 'equivalent';
  const side = sideOf(verdict, observed);
  if (side === undefined) return Number.isNaN(observed) ? undefined : 'unclear';
  if (better === undefined) return side;
  return side === better ? 'better' : 'worse';
}
