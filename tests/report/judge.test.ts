import { describe, expect, test } from 'vitest';
import type { Hypothesis } from '../../plugin/config/config.ts';
import { judge } from '../../plugin/report/judge.ts';
import { compareConditions, type ReportModel, type Verdict } from '../../plugin/report/model.ts';
import { readRow } from '../../plugin/report/reading.ts';
import { verdictSentence } from '../../plugin/report/verdict-sentence.ts';
import { remarkLines, remarksOn } from '../../plugin/report/verdict-values.ts';
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
    expect(verdict.gate).toMatch(
      /^hypothesis "asked" requires that new vs baseline on ok differs by less than 1, and that is not significant \(p 0\.\d+, corrected\)$/,
    );
    expect(judged([1], [1], asked).verdict.gate).toMatch(/its values do not suffice to tell$/);
    expect(word).toBe('unclear');
    expect(remarksOn(verdict)).toEqual([]);
    expect(remarksOn(judged(baseline, treatment, {}).verdict)).toHaveLength(1);
  });
});

test.each([
  ['welch_t_test', '13.81', 636],
  ['paired_t_test', '2.407', 19],
])('what %s would find of more replicates is told', (verifier, least, needed) => {
  const noise = [3, -1, 4, -1, -5, 9, -2, 6];
  const { verdict } = judged(
    noise.map((x) => 2 * x),
    noise.map((x, i) => 2 * x + 2 + 3 * Math.sin(5 * i)),
    { verifier },
  );
  expect(remarksOn(verdict).join()).toBe(
    `smallest difference likely found: ${least}; for the observed one, about ${needed} replicates`,
  );
});

describe('too few pairs for a test that takes them to have no shape', () => {
  const few = 'with 3 pairs bootstrap_ci finds nothing at 0.05, whatever they are: it takes 6';

  test.each([
    [{ require: 'significant' }, `new vs baseline on ok is not significant (p 0.2500, corrected): ${few}`],
    [
      { require: 'not-worse', margin: 10 },
      `is not worse by 10 or more: the difference is 1.267, and may be as bad as -∞: ${few}`,
    ],
  ] as const)('pass no gate: %o', (gate, reason) => {
    const { verdict, word } = judged([1, 2, 3], [2, 3.3, 4.5], { verifier: 'bootstrap_ci', ...gate });
    expect(verdict.gate).toContain(reason);
    expect(word).toBe('unclear');
    expect(remarksOn(verdict)).toEqual([few]);
    expect(verdict.result).toMatchObject({ values: { significant: false, replicates_needed: 6 } });
  });

  test('are told of ranks by the number of values', () => {
    const { verdict } = judged([1, 2, 3], [4, 5, 6], { verifier: 'mann_whitney_u', require: 'significant' });
    const told = 'with 6 values mann_whitney_u finds nothing at 0.05, unless some tie: it takes 8';
    expect(remarksOn(verdict)).toEqual([told]);
    expect(verdict.gate).toContain(told);
  });

  test('beside many others are told, with how many pairs it takes', () => {
    const draws = [3, 1, 4, 1, 5, 9, 2, 6];
    const told = (verifier: string, pairs: number, treatments: number): string[] => {
      const baseline = manifestOf('baseline', { ok: draws.slice(0, pairs) });
      const others = Array.from({ length: treatments }, (_, i) =>
        manifestOf(`t${i}`, { ok: draws.slice(0, pairs).map((x, j) => x + 10 + i + 0.1 * j) }),
      );
      return testedVerdicts('asked', 'ok', [baseline, ...others], { verifier }).flatMap(remarksOn);
    };
    const few =
      'corrected over 12 tests, 8 pairs are too few for wilcoxon_signed_rank to find this, whatever they are: it takes 9';
    expect(told('wilcoxon_signed_rank', 8, 12)).toEqual(new Array(12).fill(few));
    expect(told('wilcoxon_signed_rank', 8, 6)).toEqual([]);
    const baseline = manifestOf('baseline', { ok: draws });
    const alike = [...'abcde'].map((name) => manifestOf(name, { ok: draws.slice(0, 3) }));
    const verdicts = testedVerdicts('asked', 'ok', [baseline, ...alike], { verifier: 'bootstrap_ci' });
    expect(remarkLines(verdicts)).toEqual([
      { conditions: ['a', 'b', 'c', '2 more'], metrics: 'ok', remarks: remarksOn(verdicts[0] as Verdict) },
    ]);
    expect(told('paired_t_test', 8, 12)).toEqual([]);
  });

  test('are told of no test that takes a shape for granted', () => {
    expect(remarksOn(judged([1, 2, 3], [2, 1, 4.5], {}).verdict).join()).not.toContain('takes');
  });
});

test.each([
  [{ p_value: 0.001 }, true],
  [{ p_value: 0.2 }, false],
  [{ p_value: 0.001, significant: false }, false],
  [{ p_value: 0.2, significant: true }, true],
  [{ note: 'no p' }, undefined],
])(
  'a single verdict of a verifier of the user, %o, is significant by its p-value unless it says so itself',
  (values, significant) => {
    const of = {
      name: 'asked',
      verifier: 'own',
      metricGroups: [['ok']],
      alpha: 0.05,
      alternative: 'two-sided',
      margin: Number.NaN,
      correction: 'holm',
      require: 'significant',
      better: undefined,
      at: { file: 'config.yaml', start: 0, end: 0 },
    } as const;
    const draft = { hypothesis: 'asked', verifier: 'own', condition: 'new', metrics: ['ok'], builtIn: false };
    const [verdict] = judge([{ ...draft, result: { ok: true, values }, of }]);
    const { significant: _, ...said } = values as { significant?: boolean };
    expect(verdict?.result).toEqual({
      ok: true,
      values: significant === undefined ? values : { ...said, significant },
    });
    expect(verdict?.gate === undefined).toBe(significant === true);
  },
);

test('a gate whose p-value is none says why', () => {
  const gate = { require: 'significant' } as const;
  expect(judged([1, 2, 3], [1, 2, 3], gate).verdict.gate).toMatch(
    /is not significant: no replicate differs$/,
  );
  expect(judged([1], [2], gate).verdict.gate).toMatch(
    /is not significant: its values do not suffice to tell$/,
  );
});

describe('a difference that a hypothesis does not look for is told all the same', () => {
  const baseline = Array.from({ length: 12 }, (_, i) => 10 * Math.sin(i));
  const far = baseline.map((x, i) => x - 20 + Math.sin(5 * i));

  test.each([
    ['equivalence', { verifier: 'equivalence', margin: 1 }],
    ['the other side', { alternative: 'greater' }],
    ['the other side, by ranks', { verifier: 'wilcoxon_signed_rank', alternative: 'greater' }],
  ] as const)('%s', (_what, asked) => {
    const { verdict, word, sentence } = judged(baseline, far, asked);
    expect(verdict.result).toMatchObject({ values: { significant: false } });
    expect(word).toBe('lower');
    expect(sentence).toMatch(
      /^new is lower than the baseline on ok: -20\.1 \[-20\.6, -19\.6\] \(paired t test, p < 0\.0001/,
    );
  });

  test('not one on the side for which it looks: there its own level holds', () => {
    const near = baseline.map((x, i) => x + 2 + Math.sin(5 * i));
    expect(judged(baseline, near, { alternative: 'greater', alpha: 1e-9 }).word).toBe('unclear');
    expect(judged(baseline, near, { alternative: 'less' }).word).toBe('higher');
    expect(judged(baseline, near, { alpha: 1e-9 }).word).toBe('unclear');
  });

  test('and where there is none, the p-value of an equivalence is not given for it', () => {
    const manifests = [
      manifestOf('baseline', { ok: baseline }),
      manifestOf('near', { ok: baseline.map((x, i) => x + 0.01 * Math.sin(5 * i)) }),
      manifestOf('unlike', { ok: baseline.map((x, i) => x + 9 * Math.sin(5 * i)) }),
    ];
    const asked = { verifier: 'equivalence', margin: 1 } as const;
    const verdicts = testedVerdicts('asked', 'ok', manifests, asked);
    const model = compareConditions({ name: 'lab', description: undefined }, manifests, verdicts);
    expect(model.metrics.map((row) => readRow(model, row)?.word)).toEqual([
      undefined,
      'equivalent',
      'unclear',
    ]);
    expect(verdictSentence(model)).toMatchInlineSnapshot(
      `"Nothing differs from the baseline that chance could not explain: 2 comparisons, smallest corrected p = 1.0000, n 12."`,
    );
  });
});

test('a gate of a single pair says that it cannot tell', () => {
  const { verdict } = judged([1], [2], { require: 'not-worse', margin: 0.1 });
  expect(verdict.gate).toBe(
    'hypothesis "asked" requires that new vs baseline on ok is not worse by 0.1000 or more: its values do not suffice to tell',
  );
});

test('a gate on the margin is met before it, and not at it', () => {
  const pair = [
    [1, 2, 3],
    [0.5, 1.5, 2.5],
  ] as const;
  expect(judged(...pair, { require: 'not-worse', margin: 0.5 }).verdict.gate).toMatch(
    /may be as bad as -0.5000$/,
  );
  expect(judged(...pair, { require: 'not-worse', margin: 0.5000001 }).verdict.gate).toBeUndefined();
  expect(judged(...pair, { require: 'not-worse', margin: 0, better: 'lower' }).verdict.gate).toBeUndefined();
});

describe('nothing is said of what could not be tested', () => {
  const nothing = { word: undefined, sentence: expect.not.stringMatching(/Nothing|same/) };

  test('by a hypothesis of one pair', () => {
    expect(judged([1], [2], {})).toMatchObject(nothing);
  });

  test('of infinite values', () => {
    expect(judged([1, 2, 3], [4, 5, Number.POSITIVE_INFINITY], {})).toMatchObject(nothing);
  });

  test('of the same values of which one was lost', () => {
    expect(judged([1, 2, 3], [1, 2, Number.NaN], {})).toMatchObject(nothing);
    expect(judged([1, 2, Number.NaN], [1, 2, 3], {})).toMatchObject(nothing);
  });

  test('of the same values of which one is that of a replicate that failed elsewhere', () => {
    const manifests = [
      manifestOf('baseline', { ok: [0, 1, 1] }),
      manifestOf('new', { ok: [undefined, 1, 1] }),
    ];
    const model: ReportModel = compareConditions({ name: 'lab', description: undefined }, manifests, []);
    expect(model.metrics.map((row) => readRow(model, row)?.word)).toEqual([undefined, undefined]);
  });

  test('and what is infinite, or not a number, in both is the same', () => {
    const same = [1, Number.NaN, 3, Number.NEGATIVE_INFINITY];
    expect(judged(same, same, {}).word).toBe('same');
  });
});
