import { printable } from '../base/diagnostics.ts';
import type { Json } from '../base/json.ts';
import { isBuiltInTest, isUnpaired } from '../statistics/built-in.ts';
import { ALPHA, type Verdict } from './model.ts';
import { count, formatNumber, formatP, formatWithin } from './numbers.ts';
import { asksForEquivalence } from './side.ts';
import { tooFew, tooFewForCorrection } from './too-few.ts';

/** Below this, simulations find too many differences that are none: docs/statistics.md. */
const FEW_FOR_BOOTSTRAP = 40;

const EFFECTS: Readonly<Record<string, string>> = {
  d_z: 'd_z',
  hedges_g: "Hedges' g",
  rank_biserial: 'rank-biserial',
  cliffs_delta: "Cliff's delta",
};

/** What a verifier returned, by name. */
export class VerdictValues {
  constructor(readonly verdict: Verdict) {}

  value(key: string): Json | undefined {
    const { result } = this.verdict;
    return result.ok && Object.hasOwn(result.values, key) ? result.values[key] : undefined;
  }

  /** NaN where there is no number; the infinities as JSON spells them. */
  number(key: string): number {
    const value = this.value(key);
    if (value === 'Infinity' || value === '-Infinity') return Number(value);
    return typeof value === 'number' ? value : Number.NaN;
  }

  /** Nothing where there is no value. */
  text(key: string): string {
    const value = this.value(key);
    if (value === undefined) return '';
    if (typeof value === 'number') return formatNumber(value);
    return printable(typeof value === 'string' ? value : JSON.stringify(value));
  }

  /** `[0.12, 0.34]` */
  get interval(): string {
    const [low, high] = [this.number('ci_low'), this.number('ci_high')];
    const format = formatWithin({ low, high });
    return `[${format(low)}, ${format(high)}]`;
  }

  get significant(): boolean {
    return this.value('significant') === true;
  }

  get effectName(): string {
    return EFFECTS[String(this.value('effect'))] ?? 'effect';
  }

  get isCorrected(): boolean {
    const { corrected } = this.verdict;
    return corrected !== undefined && corrected.tests > 1 && corrected.correction !== 'none';
  }

  /** What is not as it is when nothing is said: `; margin 0.1; alpha 0.01`, and what a gate requires. */
  get asked(): string {
    const { margin, alternative, alpha = ALPHA, require } = this.verdict;
    // Two tests of one side each have an interval of their own: docs/statistics.md.
    const confidence = asksForEquivalence(this.verdict) ? formatNumber(100 * (1 - 2 * alpha)) : undefined;
    return [
      ...(margin === undefined ? [] : [`; margin ${margin}`]),
      ...(alternative === undefined ? [] : [`; alternative ${alternative}`]),
      ...(alpha === ALPHA ? [] : [`; alpha ${alpha}`]),
      ...(confidence === undefined ? [] : [`; ${confidence} % interval`]),
      ...(require === undefined ? [] : [`; required: ${require === 'significant' ? require : 'not worse'}`]),
    ].join('');
  }

  /** Of a key that holds one, so that it does not contradict what is significant. */
  p(key: 'p_value' | 'p_adjusted'): string {
    return formatP(this.number(key), this.verdict.alpha);
  }

  /** `; Holm over 4 tests`; nothing without a correction. */
  get correction(): string {
    const { corrected } = this.verdict;
    if (corrected === undefined || !this.isCorrected) return '';
    return `; ${corrected.correction === 'holm' ? 'Holm' : 'Benjamini-Hochberg'} over ${corrected.tests} tests`;
  }
}

/** What a reader has to know of a verdict of a built-in test, and what it would take to say more. */
export function remarksOn(verdict: Verdict): string[] {
  const values = new VerdictValues(verdict);
  const [n, dropped, needed] = ['n', 'dropped', 'replicates_needed'].map((key) => values.number(key)) as [
    number,
    number,
    number,
  ];
  const remarks: string[] = [];
  if (dropped > 0) remarks.push(`${count(dropped, 'replicate')} without a value left out`);
  if (values.value('nested') !== undefined)
    remarks.push('recorded several times in a replicate: its mean counts');
  const { alpha = ALPHA, alternative = 'two-sided' } = verdict;
  const few = values.significant ? undefined : tooFew(verdict.verifier, n, { alpha, alternative });
  const corrected = tooFewForCorrection(
    verdict.verifier,
    n,
    { alpha, alternative },
    {
      p: values.number('p_value'),
      adjusted: values.number('p_adjusted'),
      tests: verdict.corrected?.tests ?? 0,
    },
  );
  if (few !== undefined) remarks.push(few);
  else if (corrected !== undefined) remarks.push(corrected);
  else if (verdict.verifier === 'bootstrap_ci' && n > 0 && n < FEW_FOR_BOOTSTRAP)
    remarks.push(`with ${count(n, 'replicate')} a bootstrap interval is too narrow: paired_t_test errs less`);
  // How many replicates would find a difference is no answer to whether there is one that matters; and so few find none.
  const isAsked = !values.significant && !asksForEquivalence(verdict) && few === undefined;
  const replicates = isBuiltInTest(verdict.verifier) && isUnpaired(verdict.verifier) ? n / 2 : n;
  if (isAsked && needed > replicates && needed <= 1000 * replicates) {
    const least = formatNumber(values.number('minimum_detectable'));
    remarks.push(
      `smallest difference likely found: ${least}; for the observed one, about ${needed} replicates`,
    );
  }
  return remarks;
}

/** Of so many conditions with the same remarks, all are named. */
const MAX_NAMED = 3;

/** The remarks on some verdicts, each with what it is about; what holds for several conditions is told once. */
export function remarkLines(verdicts: readonly Verdict[]): {
  readonly conditions: readonly string[];
  readonly metrics: string;
  readonly remarks: readonly string[];
}[] {
  const lines = new Map<string, { conditions: string[]; metrics: string; remarks: string[] }>();
  for (const verdict of verdicts) {
    const remarks = remarksOn(verdict);
    if (remarks.length === 0) continue;
    const metrics = verdict.metrics.join(', ');
    const key = JSON.stringify([metrics, remarks]);
    const line = lines.get(key);
    if (line === undefined) lines.set(key, { conditions: [verdict.condition], metrics, remarks });
    else line.conditions.push(verdict.condition);
  }
  return [...lines.values()].map((line) => ({ ...line, conditions: shortened(line.conditions) }));
}

function shortened(names: readonly string[]): readonly string[] {
  const more = names.length - MAX_NAMED;
  return more > 1 ? [...names.slice(0, MAX_NAMED), `${more} more`] : names;
}
