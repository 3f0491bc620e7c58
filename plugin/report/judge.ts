import type { JsonObject } from '../base/json.ts';
import type { Hypothesis } from '../config/config.ts';
import type { ConditionManifest } from '../runtime/manifest.ts';
import { isBuiltInTest, leastReplicates, precisionFor, runTest } from '../statistics/built-in.ts';
import { correct } from '../statistics/corrections.ts';
import { minimumDetectableEffect, replicatesNeeded } from '../statistics/power.ts';
import type { Verdict } from './model.ts';
import { formatNumber } from './numbers.ts';
import { sampleOf, withGaps } from './samples.ts';
import { asksForEquivalence, sideOf } from './side.ts';
import { tooFew } from './too-few.ts';

/** A verdict before it is seen beside the others. */
export type Draft = Omit<
  Verdict,
  'better' | 'alternative' | 'alpha' | 'margin' | 'require' | 'corrected' | 'gate'
> & {
  readonly of: Hypothesis;
};

/** What a built-in test says of one metric, in plain values. */
export function testValues(
  { verifier, alpha, alternative, margin }: Hypothesis,
  metric: string,
  baseline: ConditionManifest,
  treatment: ConditionManifest,
): JsonObject {
  if (!isBuiltInTest(verifier)) throw new Error(`Bug: ${verifier} is not built in`);
  const [before, after] = [sampleOf(baseline, metric), sampleOf(treatment, metric)];
  const samples = { baseline: withGaps(before), treatment: withGaps(after) };
  const outcome = runTest(verifier, samples, { alpha, alternative }, margin);
  const precision = precisionFor(verifier, samples);
  const needed = replicatesNeeded(outcome.difference, precision, alpha);
  return {
    difference: outcome.difference,
    ci_low: outcome.interval.low,
    ci_high: outcome.interval.high,
    p_value: outcome.p,
    significant: outcome.p < alpha,
    effect_size: outcome.effect.size,
    effect: outcome.effect.name,
    statistic: outcome.statistic,
    ...(outcome.df === undefined ? {} : { df: outcome.df }),
    n: outcome.n,
    dropped: outcome.dropped,
    ...(before.nested || after.nested ? { nested: 'the mean of each replicate' } : {}),
    minimum_detectable: minimumDetectableEffect(precision(), alpha),
    ...(needed === undefined
      ? {}
      : { replicates_needed: Math.max(needed, leastReplicates(verifier, { alpha, alternative })) }),
  };
}

/** Corrects p-values over all verdicts with the same correction, and applies the gates. */
export function judge(drafts: readonly Draft[]): Verdict[] {
  const families = new Map<string, Draft[]>();
  for (const draft of drafts) {
    if (pOf(draft) === undefined) continue;
    families.set(draft.of.correction, [...(families.get(draft.of.correction) ?? []), draft]);
  }
  const adjusted = new Map<Draft, { p: number; tests: number }>();
  for (const family of families.values()) {
    const ps = family.map((draft) => pOf(draft) ?? Number.NaN);
    const tests = ps.filter((p) => !Number.isNaN(p)).length;
    const correction = family[0]?.of.correction ?? 'none';
    for (const [i, p] of correct(ps, correction).entries()) adjusted.set(family[i] as Draft, { p, tests });
  }
  return drafts.map((draft): Verdict => {
    const { of: hypothesis, ...verdict } = draft;
    const found = adjusted.get(draft);
    // A single verdict of the user's own has nothing to be corrected for: it stands as it is.
    const asItIs = found === undefined || (!verdict.builtIn && found.tests <= 1);
    if (asItIs || !verdict.result.ok) {
      const told = found === undefined ? verdict : withSignificance(verdict, found.p < hypothesis.alpha);
      return {
        ...told,
        ...askedBy(hypothesis, verdict),
        corrected: undefined,
        gate: gateOf(hypothesis, told),
      };
    }
    const counts = found.p < hypothesis.alpha && verdict.result.values.significant !== false;
    const values = judgedValues(verdict.result.values, found.p, counts);
    const judged = { ...verdict, result: { ok: true, values } as const };
    return {
      ...judged,
      ...askedBy(hypothesis, verdict),
      corrected: { correction: hypothesis.correction, tests: found.tests },
      gate: gateOf(hypothesis, judged),
    };
  });
}

/** Of a verifier that gives a p-value and leaves it at that. */
function withSignificance(verdict: Omit<Draft, 'of'>, significant: boolean): Omit<Draft, 'of'> {
  if (!verdict.result.ok || typeof verdict.result.values.significant === 'boolean') return verdict;
  return { ...verdict, result: { ok: true, values: { ...verdict.result.values, significant } } };
}

/** A verifier of the user's knows nothing of these, and a test for equivalence has no side. */
function askedBy(
  { better, alternative, alpha, margin, require }: Hypothesis,
  verdict: Pick<Verdict, 'builtIn' | 'verifier'>,
): Pick<Verdict, 'better' | 'alternative' | 'alpha' | 'margin' | 'require'> {
  const gate = require === undefined ? {} : { require };
  const within = require === 'not-worse' || asksForEquivalence(verdict) ? { margin } : {};
  if (!verdict.builtIn) return { better, ...within, ...gate };
  const side = asksForEquivalence(verdict) || alternative === 'two-sided' ? {} : { alternative };
  return { better, alpha, ...side, ...within, ...gate };
}

/** The corrected p-value beside the raw one, and what counts in the light of it; all else where it was. */
function judgedValues(values: JsonObject, adjusted: number, significant: boolean): JsonObject {
  const entries = Object.entries({ ...values, significant });
  return Object.fromEntries(
    entries.flatMap(([key, value]) =>
      key === 'p_value'
        ? [
            [key, value],
            ['p_adjusted', adjusted],
          ]
        : [[key, value]],
    ),
  );
}

function pOf({ result }: Draft): number | undefined {
  const p = result.ok ? result.values.p_value : undefined;
  if (typeof p === 'number') return p;
  return p === 'NaN' ? Number.NaN : undefined;
}

function gateOf(asked: Hypothesis, verdict: Omit<Draft, 'of'>): string | undefined {
  const { require, margin, better } = asked;
  const { hypothesis, condition, metrics, result } = verdict;
  if (require === undefined || !result.ok) return undefined;
  const { significant, p_adjusted, difference, ci_low, ci_high } = result.values;
  const subject = `${condition} vs baseline on ${metrics.join(', ')}`;
  if (require === 'significant') {
    if (significant === true) {
      const side = asksForEquivalence(verdict) ? undefined : sideOf(verdict);
      if (better === undefined || side === undefined || side === better) return undefined;
      return `hypothesis "${hypothesis}" requires a significant difference for the better, and ${subject} is significantly ${side}, which is worse`;
    }
    const known = typeof p_adjusted === 'number' && !Number.isNaN(p_adjusted);
    const p = known ? ` (p ${formatNumber(p_adjusted)}, corrected)` : '';
    const wanted = asksForEquivalence(verdict)
      ? `that ${subject} differs by less than ${formatNumber(margin)}, and that`
      : `a significant difference, and ${subject}`;
    return `hypothesis "${hypothesis}" requires ${wanted} is not significant${p}${whyNot(asked, verdict)}`;
  }
  const bound = better === 'lower' ? ci_high : ci_low;
  const worst = typeof bound === 'number' ? (better === 'lower' ? bound : -bound) : Number.NaN;
  if (worst < margin) return undefined;
  if (typeof bound !== 'number')
    return `hypothesis "${hypothesis}" requires an interval to tell whether ${subject} is worse: use a built-in test`;
  const required = `hypothesis "${hypothesis}" requires that ${subject} is not worse by ${formatNumber(margin)} or more`;
  if (Number.isNaN(bound)) return `${required}: its values do not suffice to tell`;
  const seen = typeof difference === 'number' ? formatNumber(difference) : 'unknown';
  return `${required}: the difference is ${seen}, and may be as bad as ${formatNumber(bound)}${whyNot(asked, verdict)}`;
}

/** Nothing where the numbers say why. */
function whyNot(asked: Hypothesis, verdict: Omit<Draft, 'of'>): string {
  const { builtIn, verifier, result } = verdict;
  if (!builtIn || !result.ok) return '';
  const { n, p_value, difference } = result.values;
  const few = typeof n === 'number' ? tooFew(verifier, n, asked) : undefined;
  if (few !== undefined) return `: ${few}`;
  if (!Number.isNaN(p_value)) return '';
  return difference === 0 && !asksForEquivalence(verdict)
    ? ': no replicate differs'
    : ': its values do not suffice to tell';
}
