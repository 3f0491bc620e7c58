import { describe, expect, test } from 'vitest';
import type { Hypothesis } from '../../plugin/config/config.ts';
import { compareConditions, type ReportModel, type Verdict } from '../../plugin/report/model.ts';
import { readRow } from '../../plugin/report/reading.ts';
import { verdictSentence } from '../../plugin/report/verdict-sentence.ts';
import { remarksOn } from '../../plugin/report/verdict-values.ts';
import { testedVerdicts } from '../support/dossiers.ts';
import { manifestOf } from '../support/manifests.ts';

/** What a hypothesis finds of a treatment, and how it is told. */
function judged(
  baseline: readonly number[],
  treatment: readonly number[],
  more: Partial<Hypothesis>,
): { verdict: Verdict; word: string | undefined; sentence: string } {
  const manifests = [manifestOf('baseline', { ok: baseline }), manifestOf('new', { ok: treatment })];
  const verdicts = testedVerdicts('asked', 'ok', manifests, more);
  const model: ReportModel = compareConditions({ name: 'lab', description: undefined }, manifests, verdicts);
  const row = model.metrics.find(({ condition }) => condition === 'new');
  const [verdict] = verdicts;
  if (row === undefined || verdict === undefined) throw new Error('nothing to judge');
  return { verdict, word: readRow(model, row)?.word, sentence: verdictSentence(model) };
}

describe('of what passes or fails, most replicates tie', () => {
  const all = new Array<number>(60).fill(1);
  const most = all.map((_, i) => (i < 12 ? 0 : 1));
  const tests = ['wilcoxon_signed_rank', 'mann_whitney_u', 'paired_t_test'];

  test.each(tests)('%s sees the side, and so do its gate and the words', (verifier) => {
    const gate = { verifier, require: 'significant' } as const;
    const worse = judged(all, most, { ...gate, better: 'higher' });
    expect(worse.word).toBe('worse');
    expect(worse.verdict.gate).toMatch(/is significantly lower, which is worse$/);
    const better = judged(all, most, { ...gate, better: 'lower' });
    expect(better.word).toBe('better');
    expect(better.verdict.gate).toBeUndefined();
    expect(judged(most, all, gate).word).toBe('higher');
  });

  test('a difference that is estimated as zero is told by the effect size', () => {
    expect(
      judged(all, most, { verifier: 'mann_whitney_u', better: 'higher' }).sentence,
    ).toMatchInlineSnapshot(
      `"new is worse than the baseline on ok: Cliff's delta -0.2 (mann whitney u, p = 0.0003, n 120)."`,
    );
  });
});

describe('equivalence', () => {
  const baseline = Array.from({ length: 12 }, (_, i) => 10 * Math.sin(i));
  const asked = { verifier: 'equivalence', margin: 1, better: 'higher', require: 'significant' } as const;

  test('has no bad side: what is equivalent passes', () => {
    const { verdict, word } = judged(
      baseline,
      baseline.map((x, i) => x - 0.01 * (1 + Math.sin(5 * i))),
      asked,
    );
    expect(verdict.gate).toBeUndefined();
    expect(word).toBe('equivalent');
  });

  test('is not told how many replicates would find a difference', () => {
    const treatment = baseline.map((x, i) => x - 0.2 + 4 * Math.sin(5 * i));
    const { verdict, word } = judged(baseline, treatment, asked);
    expect(verdict.gate).toMatch(/is not significant \(p 0\.\d+, corrected\)$/);
    expect(word).toBe('unclear');
    expect(remarksOn(verdict)).toEqual([]);
    expect(remarksOn(judged(baseline, treatment, {}).verdict)).toHaveLength(1);
  });
});
