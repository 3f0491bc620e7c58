import { describe, expect, test } from 'vitest';
import { compareConditions, type ReportModel, type Verdict } from '../../plugin/report/model.ts';
import { verdictSentence } from '../../plugin/report/verdict-sentence.ts';
import type { ConditionManifest } from '../../plugin/runtime/manifest.ts';
import { testedVerdicts, waves } from '../support/dossiers.ts';
import { manifestOf } from '../support/manifests.ts';

const LAB = { name: 'lab', description: undefined };
const BASELINE = manifestOf('baseline', { accuracy: waves(12, 0.7, 0.05), loss: waves(12, 3, 0.4) });
const HIGH = manifestOf('high', { accuracy: waves(12, 0.8, 0.05, 0.3), loss: waves(12, 3, 0.4, 2) });
const LOW = manifestOf('low', { accuracy: waves(12, 0.6, 0.05, 0.3), loss: waves(12, 2.9, 0.4, 1) });

function sentence(manifests: readonly ConditionManifest[], verdicts: readonly Verdict[] = []): string {
  return verdictSentence(compareConditions(LAB, manifests, verdicts));
}

/** A verdict of a verifier of the user's. */
const OWN = {
  hypothesis: 'own',
  verifier: 'my_check',
  condition: 'high',
  metrics: ['accuracy'],
  builtIn: false,
  better: undefined,
  corrected: undefined,
  gate: undefined,
  result: { ok: true, values: {} },
} as const satisfies Verdict;

describe('the verdict in a sentence', () => {
  test('tells the largest difference when no hypothesis decides', () => {
    expect(sentence([BASELINE, HIGH])).toMatchInlineSnapshot(
      `"high is higher than the baseline on accuracy: +0.0984 [+0.0833, +0.114] (paired t test, p < 0.0001 corrected by Holm, n 12). Nothing else clearly differs from the baseline."`,
    );
  });

  test('tells what is better before what is worse', () => {
    const manifests = [BASELINE, LOW, HIGH];
    const verdicts = testedVerdicts('tells more', 'accuracy', manifests, { better: 'higher' });
    expect(sentence(manifests, verdicts)).toMatchInlineSnapshot(
      `"high is better than the baseline on accuracy: +0.0984 [+0.0833, +0.114] (paired t test, p < 0.0001 corrected by Holm, n 12). 1 of 3 other comparisons differs from the baseline."`,
    );
  });

  test('tells what is worse when nothing is better', () => {
    const manifests = [BASELINE, LOW];
    const verdicts = testedVerdicts('tells more', 'accuracy', manifests, { better: 'higher' });
    expect(sentence(manifests, verdicts)).toMatchInlineSnapshot(
      `"low is worse than the baseline on accuracy: -0.102 [-0.117, -0.0865] (paired t test, p < 0.0001, n 12). Nothing else clearly differs from the baseline."`,
    );
  });

  test('tells that a lower value is better where it is', () => {
    const manifests = [BASELINE, LOW];
    const verdicts = testedVerdicts('errs less', 'accuracy', manifests, { better: 'lower' });
    expect(sentence(manifests, verdicts)).toMatchInlineSnapshot(
      `"low is better than the baseline on accuracy: -0.102 [-0.117, -0.0865] (paired t test, p < 0.0001, n 12). Nothing else clearly differs from the baseline."`,
    );
  });

  test('tells when chance could explain everything', () => {
    const loss = (name: string, phase: number) => manifestOf(name, { loss: waves(12, 3, 0.4, phase) });
    expect(sentence([loss('baseline', 0), loss('high', 2), loss('low', 5)])).toMatchInlineSnapshot(
      `"Nothing differs from the baseline that chance could not explain: 2 comparisons, smallest corrected p = 0.4960, n 12."`,
    );
  });

  test('tells when nothing differs at all', () => {
    expect(sentence([BASELINE, { ...BASELINE, condition: 'same' }])).toMatchInlineSnapshot(
      `"Nothing differs from the baseline: all values are the same."`,
    );
  });

  test('tells what is the same from what has no counterpart', () => {
    const manifests = [
      manifestOf('baseline', { loss: [1, 2, 3], accuracy: [1, 2, 3] }),
      manifestOf('new', { loss: [1, 2, 3], accuracy: [Number.NaN, Number.NaN, Number.NaN] }),
    ];
    expect(sentence(manifests)).toMatchInlineSnapshot(
      `"What can be compared with the baseline is the same: 1 of 2 comparisons."`,
    );
  });

  test('tells a gate that fails first, how many more do, and then what was found', () => {
    const manifests = [BASELINE, HIGH, LOW];
    const verdicts = testedVerdicts('is faster', 'loss', manifests, {
      better: 'lower',
      require: 'significant',
    });
    expect(sentence(manifests, verdicts)).toMatchInlineSnapshot(
      `"A gate fails: hypothesis "is faster" requires a significant difference, and low vs baseline on loss is not significant (p 0.4349, corrected). 1 more gate fails. low is lower than the baseline on accuracy: -0.102 [-0.117, -0.0865] (paired t test, p < 0.0001 corrected by Holm, n 12). 1 of 3 other comparisons differs from the baseline."`,
    );
  });

  test('tells a verifier that failed, replicates that failed and conditions without results', () => {
    const model: ReportModel = compareConditions(
      { ...LAB, missing: [{ condition: 'huge', reason: 'it failed' }] },
      [BASELINE, manifestOf('high', { loss: [1, 2, undefined] })],
      [{ ...OWN, result: { ok: false, message: 'my_check threw Error: no' } }],
    );
    expect(verdictSentence(model)).toMatchInlineSnapshot(
      `"Hypothesis "own" could not be judged: my_check threw Error: no. Nothing differs from the baseline that chance could not explain: 1 comparison, smallest corrected p = 0.2363, n 2. 1 of 15 replicates failed, under high. No results of huge."`,
    );
  });

  test("takes a user's verifier at its word", () => {
    const values = { p_value: 0.012, significant: true };
    expect(sentence([BASELINE, HIGH], [{ ...OWN, result: { ok: true, values } }])).toMatchInlineSnapshot(
      `"high is higher than the baseline on accuracy: +0.0984 [+0.0833, +0.114] (my_check, p = 0.0120, n 12). Nothing else clearly differs from the baseline."`,
    );
  });

  test('holds no p-value of what is the same against chance', () => {
    const values = { p_value: 0.012, p_adjusted: 0.024, significant: true };
    const manifests = [
      manifestOf('baseline', { loss: waves(12, 3, 0.4), accuracy: [1, 2, 3] }),
      manifestOf('new', { loss: waves(12, 3, 0.4, 2), accuracy: [1, 2, 3] }),
    ];
    const verdicts = [
      { ...OWN, condition: 'new', metrics: ['accuracy'], result: { ok: true, values } },
    ] as const;
    expect(sentence(manifests, verdicts)).toMatchInlineSnapshot(
      `"Nothing differs from the baseline that chance could not explain: 2 comparisons, smallest corrected p = 0.2480, n 12."`,
    );
  });

  test('of a single condition is its numbers', () => {
    expect(sentence([BASELINE])).toMatchInlineSnapshot(
      `"There is one condition, and nothing to compare it with: accuracy is 0.706 [0.685, 0.728] under baseline (n 12)."`,
    );
  });

  test('of one replicate claims nothing', () => {
    const one = (name: string, value: number) => manifestOf(name, { accuracy: [value] });
    expect(sentence([one('baseline', 0.5), one('high', 0.9)])).toMatchInlineSnapshot(
      `"There are too few pairs of replicates to tell a difference from chance: accuracy is 0.5 under baseline (n 1), 0.9 under high (n 1)."`,
    );
  });

  test('of nothing says so', () => {
    expect(sentence([manifestOf('baseline', {})])).toMatchInlineSnapshot(`"No metrics were recorded."`);
    expect(sentence([])).toMatchInlineSnapshot(`"No metrics were recorded."`);
  });

  test('is short and printable, whatever names hold', () => {
    const name = `\u001b[31m\n\u202e${'x'.repeat(500)}`;
    const manifests = [
      manifestOf('baseline', { [name]: [1, 2, 3] }),
      manifestOf(name, { [name]: [2, 3.1, 4] }),
    ];
    const text = sentence(manifests, testedVerdicts(name, name, manifests, { require: 'significant' }));
    expect(text.length).toBeLessThan(1000);
    expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  });
});
