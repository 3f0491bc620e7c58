import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  BUILT_IN_TESTS,
  type BuiltInTest,
  leastReplicates,
  runTest,
} from '../../plugin/statistics/built-in.ts';
import { correct } from '../../plugin/statistics/corrections.ts';
import { tQuantile, tTail } from '../../plugin/statistics/distributions.ts';
import type { Alternative } from '../../plugin/statistics/outcome.ts';
import { minimumDetectableEffect, replicatesNeeded } from '../../plugin/statistics/power.ts';
import { bcaOf } from '../../plugin/statistics/resampling.ts';
import { precisionOfDifference, precisionOfMean } from '../../plugin/statistics/t-tests.ts';

interface Case {
  readonly test: BuiltInTest;
  readonly baseline: readonly (number | string)[];
  readonly treatment: readonly (number | string)[];
  readonly alternative: Alternative;
  readonly alpha: number;
  readonly margin?: number;
  readonly expected: Readonly<Record<string, number | string>>;
}

interface Reference {
  readonly cases: readonly Case[];
  readonly tails: readonly { t: number; df: number; expected: number }[];
  readonly quantiles: readonly { p: number; df: number; expected: number }[];
  readonly corrections: readonly { p: number[]; holm: number[]; bh: number[] }[];
  readonly bca: readonly { differences: number[]; means: number[]; low: number; high: number }[];
  readonly power: readonly { n: number; alpha: number; expected: number }[];
}

/** Written by reference.py, mostly with SciPy. */
const REFERENCE: Reference = JSON.parse(readFileSync(new URL('./reference.json', import.meta.url), 'utf8'));

const TOLERANCE = 1e-9;

/** To nine digits, of the value or of the scale of the samples. */
function expectClose(actual: number, expected: number, scale: number, what: string): void {
  if (!Number.isFinite(expected)) expect(actual, what).toBe(expected);
  else
    expect(Math.abs(actual - expected), `${what}: ${actual} is not ${expected}`).toBeLessThanOrEqual(
      TOLERANCE * Math.max(Math.abs(expected), scale),
    );
}

describe('against SciPy', () => {
  test(`there are at least 200 cases`, () => {
    expect(REFERENCE.cases.length).toBeGreaterThanOrEqual(200);
  });

  const groups = new Map<string, Case[]>();
  for (const item of REFERENCE.cases) groups.set(item.test, [...(groups.get(item.test) ?? []), item]);
  test.each([...groups])('%s', (name, cases) => {
    for (const [i, item] of cases.entries()) {
      const samples = { baseline: item.baseline.map(Number), treatment: item.treatment.map(Number) };
      const outcome = runTest(item.test, samples, item, item.margin ?? Number.NaN);
      const actual: Record<string, number | undefined> = {
        ...outcome.interval,
        statistic: outcome.statistic,
        df: outcome.df,
        p: outcome.p,
        difference: outcome.difference,
        effect: outcome.effect.size,
        n: outcome.n,
      };
      for (const [key, expected] of Object.entries(item.expected)) {
        const what = `${name} ${i} (n ${samples.baseline.length}, ${item.alternative}): ${key}`;
        // Differences of numbers around a million have fewer digits.
        const largest = Math.max(...samples.baseline.map((x) => Math.abs(x) || 0));
        const scale = largest > 1e5 && largest < 1e100 ? 1 : Math.min(1e-3, largest);
        expectClose(actual[key] ?? Number.NaN, Number(expected), key === 'p' ? 1e-300 : scale, what);
      }
    }
  });

  test('tails and quantiles of t', () => {
    for (const { t, df, expected } of REFERENCE.tails)
      expectClose(tTail(t, df), expected, 0, `tail ${t}, ${df}`);
    for (const { p, df, expected } of REFERENCE.quantiles)
      expectClose(tQuantile(p, df), expected, 0, `quantile ${p}, ${df}`);
  });

  test('corrections', () => {
    for (const { p, holm, bh } of REFERENCE.corrections) {
      for (const [i, value] of correct(p, 'holm').entries())
        expectClose(value, holm[i] ?? Number.NaN, 0, 'holm');
      for (const [i, value] of correct(p, 'benjamini-hochberg').entries())
        expectClose(value, bh[i] ?? Number.NaN, 0, 'bh');
    }
    expect(correct([0.01, Number.NaN, 0.04], 'holm')).toEqual([0.02, Number.NaN, 0.04]);
    expect(correct([0.5, 0.9], 'none')).toEqual([0.5, 0.9]);
  });

  test('the BCa interval of given resamples', () => {
    for (const { differences, means, low, high } of REFERENCE.bca) {
      const settings = { alpha: 0.05, alternative: 'two-sided' } as const;
      const { interval } = bcaOf(differences, Float64Array.from(means), settings);
      expectClose(interval.low, low, 0, 'low');
      expectClose(interval.high, high, 0, 'high');
    }
  });

  test('the minimum detectable effect', () => {
    for (const { n, alpha, expected } of REFERENCE.power)
      for (const sd of [1, 0.25, 1e-200])
        expectClose(
          minimumDetectableEffect(precisionOfMean({ sd, n }), alpha) / sd,
          expected,
          0,
          `${sd}, ${n}, ${alpha}`,
        );
  });
});

test.each([
  [{ sd: 1, n: 20 }, { sd: 1, n: 20 }, 0.9091301278398549],
  [{ sd: 1, n: 5 }, { sd: 3, n: 9 }, 3.382928612539449],
  [{ sd: 2, n: 50 }, { sd: 2, n: 12 }, 1.9134765446507966],
])(
  'the minimum detectable effect of two samples, %o and %o, is that of scipy.stats.nct',
  (a, b, expected) => {
    expectClose(minimumDetectableEffect(precisionOfDifference(a, b), 0.05), expected, 0, 'effect');
  },
);

test.each([
  [0.2, 1, 1, 394],
  [0.5, 1, 1, 64],
  [0.8, 1, 1, 26],
  [1, 1, 1, 17],
  [1, 1, 3, 81],
  [0.5, 2, 0.1, 128],
])('a difference of %f needs, with spreads of %f and %f, %i replicates of each', (difference, a, b, n) => {
  const precision = (n: number) => precisionOfDifference({ sd: a, n }, { sd: b, n });
  expect(replicatesNeeded(difference, precision, 0.05)).toBe(n);
});

describe('the number of replicates that a difference needs', () => {
  const spread = (sd: number) => (n: number) => precisionOfMean({ sd, n });

  test('is the smallest whose minimum detectable effect reaches it', () => {
    for (const [difference, sd] of [
      [3, 1],
      [0.5, 1],
      [2, 1],
      [0.01, 0.3],
    ] as const) {
      const n = replicatesNeeded(difference, spread(sd), 0.05) ?? Number.NaN;
      expect(minimumDetectableEffect(spread(sd)(n), 0.05)).toBeLessThanOrEqual(difference);
      expect(minimumDetectableEffect(spread(sd)(n - 1), 0.05)).toBeGreaterThan(difference);
    }
    expect(replicatesNeeded(0, spread(1), 0.05)).toBeUndefined();
    expect(replicatesNeeded(1, spread(Number.NaN), 0.05)).toBeUndefined();
    // Beyond anything that the distributions could tell apart.
    expect(replicatesNeeded(1e300, spread(1), 0.05)).toBe(2);
    expect(replicatesNeeded(1, spread(1e300), 0.05)).toBeUndefined();
    expect(replicatesNeeded(1e-9, spread(1), 0.05)).toBeUndefined();
  });
});

test('the distributions work from the first moment on, in a process of its own', () => {
  const script = `import { normalCdf } from '${new URL('../../plugin/build/statistics/distributions.js', import.meta.url)}';
    process.stdout.write(String(normalCdf(0)));`;
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(said).toBe('0.5');
});

describe('at the edges', () => {
  const settings = { alpha: 0.05, alternative: 'two-sided' } as const;
  const run = (name: BuiltInTest, baseline: readonly number[], treatment: readonly number[]) =>
    runTest(name, { baseline, treatment }, settings, 1);

  test.each([...BUILT_IN_TESTS])('%s of nothing, of one pair, and of what never varies', (name) => {
    expect(run(name, [], []).n).toBe(0);
    expect(run(name, [], []).p).toBeNaN();
    const one = run(name, [1], [2]);
    expect(one.p === 1 || Number.isNaN(one.p) || one.p === 0).toBe(true);
    const same = run(name, [1, 1, 1], [1, 1, 1]);
    expect(same.difference).toBe(0);
    expect(same.p < 0.05 && name !== 'equivalence').toBe(false);
    expect(run(name, [1, 2, 3], [2, 3, 4]).difference).toBe(1);
  });

  test.each([
    'paired_t_test',
    'welch_t_test',
    'sign_flip_permutation',
    'bootstrap_ci',
    'equivalence',
  ] as const)('%s says nothing of a mean that is infinite, or beyond all numbers', (name) => {
    for (const treatment of [
      [2, 1, 5, 4, 8, Number.POSITIVE_INFINITY],
      [2, 1, 5, 4, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      new Array<number>(6).fill(Number.POSITIVE_INFINITY),
      new Array<number>(30).fill(Number.MAX_VALUE),
    ])
      for (const alternative of ['two-sided', 'greater', 'less'] as const) {
        const samples = { baseline: treatment.map((_, i) => i % 5), treatment };
        expect(runTest(name, samples, { alpha: 0.05, alternative }, 1).p).toBeNaN();
      }
  });

  test('by ranks, what is all above is as unlikely as what is all below, and either is counted', () => {
    const low = Array.from({ length: 50 }, (_, i) => i);
    const high = low.map((value) => value + 50);
    const [above, below] = [run('mann_whitney_u', low, high), run('mann_whitney_u', high, low)];
    // Two of the 100! / (50! 50!) ways to choose 50 of 100 values.
    expectClose(below.p, 1.982330604283646e-29, 0, 'below');
    expect(above.p).toBe(below.p);
  });

  test('a bootstrap says the same of shares and of percentages, however resamples are rounded', () => {
    for (const percentages of [
      [4, -3, 0, 0, 0],
      [1, 2, -2],
      [0, -1, 0, 2, -1, 0, 1, 0, 1, 1],
      [0, 0, 1],
    ]) {
      const shares = percentages.map((x) => (70 + x) / 100);
      const [small, large] = [
        run(
          'bootstrap_ci',
          percentages.map(() => 0.7),
          shares,
        ),
        run(
          'bootstrap_ci',
          percentages.map(() => 0),
          percentages,
        ),
      ];
      expect(small.p).toBeCloseTo(large.p, 9);
      expect(100 * small.interval.low).toBeCloseTo(large.interval.low, 9);
      expect(100 * small.interval.high).toBeCloseTo(large.interval.high, 9);
    }
    expect(run('bootstrap_ci', [0, 0, 0], [0, 0, 1]).p).toBeGreaterThan(0.3);
  });

  test('by ranks, infinities of one sign tie, whichever sample comes first', () => {
    const [a, b] = [
      [1, 2, Number.POSITIVE_INFINITY, 4, 5, 6],
      [2, 3, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 6, 8],
    ];
    expect(run('mann_whitney_u', a ?? [], b ?? []).difference).toBe(2);
    expect(run('mann_whitney_u', b ?? [], a ?? []).difference).toBe(-2);
  });

  test.each([
    ['two-sided', 0.05, 6],
    ['greater', 0.05, 5],
    ['two-sided', 0.0625, 6],
    ['two-sided', 0.2, 4],
    ['two-sided', 0.001, 11],
  ] as const)(
    'tests that count signs find nothing, %s at %f, of fewer than %i pairs',
    (alternative, alpha, least) => {
      for (const name of ['bootstrap_ci', 'sign_flip_permutation', 'wilcoxon_signed_rank'] as const) {
        expect(leastReplicates(name, { alpha, alternative })).toBe(least);
        for (let n = 2; n <= least; n++) {
          const treatment = Array.from({ length: n }, (_, i) => 10 + Math.sin(i));
          const { p, interval } = runTest(
            name,
            { baseline: treatment.map(() => 0), treatment },
            { alpha, alternative },
            1,
          );
          expect(p < alpha, `${name} of ${n}`).toBe(n === least);
          if (name === 'bootstrap_ci') expect(interval.low > 0, `${n}`).toBe(n === least);
        }
      }
      expect(leastReplicates('paired_t_test', { alpha, alternative })).toBe(2);
    },
  );

  test.each([
    ['two-sided', 0.05, 4, 0.1],
    ['greater', 0.05, 3, 0.05],
  ] as const)(
    'mann_whitney_u finds nothing, %s at %f, with fewer than %i replicates of which none tie',
    (alternative, alpha, least, p) => {
      expect(leastReplicates('mann_whitney_u', { alpha: alpha + 1e-9, alternative })).toBe(least);
      const samples = { baseline: [1, 2, 3], treatment: [4, 5, 6] };
      expect(runTest('mann_whitney_u', samples, { alpha, alternative }, 1).p).toBeCloseTo(p, 12);
    },
  );

  test('a bootstrap takes differences that rounding alone tells apart for one and the same', () => {
    const baseline = Array.from({ length: 8 }, (_, i) => Math.abs(Math.sin(i)));
    const { p, interval } = run(
      'bootstrap_ci',
      baseline,
      baseline.map((x) => x + 1),
    );
    expect(new Set(baseline.map((x) => x + 1 - x)).size).toBeGreaterThan(1);
    expect(p).toBe(2 ** -7);
    expect(interval.low).toBeCloseTo(1, 12);
    expect(interval.high).toBeCloseTo(1, 12);
    const few = run(
      'bootstrap_ci',
      baseline.slice(1, 4),
      baseline.slice(1, 4).map((x) => x + 1),
    );
    expect(few.interval.high).toBeCloseTo(1, 12);
  });

  test('a bootstrap has no smaller p-value than its resamples can tell', () => {
    const treatment = Array.from({ length: 40 }, (_, i) => 100 + (i % 3));
    const { p } = run('bootstrap_ci', new Array<number>(40).fill(0), treatment);
    expect(p).toBe(0.0001);
  });

  test('a bootstrap is significant just when its interval leaves zero out', () => {
    let significant = 0;
    for (let i = 0; i < 200; i++) {
      const treatment = Array.from({ length: 3 + (i % 9) }, (_, j) =>
        Math.round(2 * Math.sin(7 * i + j * j) + 1),
      );
      const baseline = treatment.map(() => 0);
      for (const alternative of ['two-sided', 'greater', 'less'] as const) {
        const { p, interval } = runTest(
          'bootstrap_ci',
          { baseline, treatment },
          { alpha: 0.05, alternative },
          1,
        );
        if (Number.isNaN(p)) continue;
        if (p < 0.05) significant++;
        expect(p < 0.05, treatment.join()).toBe(interval.low > 0 || interval.high < 0);
      }
    }
    expect(significant).toBeGreaterThan(50);
  });

  test('the same samples give the same numbers, also where they are resampled', () => {
    const baseline = Array.from({ length: 40 }, (_, i) => Math.sin(i));
    const treatment = baseline.map((x, i) => x + Math.cos(3 * i) / 2 + 0.2);
    for (const name of ['bootstrap_ci', 'sign_flip_permutation'] as const)
      expect(run(name, baseline, treatment)).toEqual(run(name, baseline, treatment));
    const [t, flip, boot] = (['paired_t_test', 'sign_flip_permutation', 'bootstrap_ci'] as const).map(
      (name) => run(name, baseline, treatment).p,
    );
    expect(Math.abs((t ?? 0) - (flip ?? 1))).toBeLessThan(0.01);
    expect(Math.abs((t ?? 0) - (boot ?? 1))).toBeLessThan(0.02);
  });
});
