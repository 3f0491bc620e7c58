import { type Description, describe } from './describe.ts';
import { logGamma, tQuantile } from './distributions.ts';
import {
  type Interval,
  intervalAround,
  studentize,
  type TestOutcome,
  type TestSettings,
  tP,
} from './outcome.ts';

/** What a t test knows of what it estimates. */
export interface Precision {
  /** Standard error. */
  readonly error: number;
  readonly df: number;
}

type Spread = Pick<Description, 'sd' | 'n'>;

export function precisionOfMean({ sd, n }: Spread): Precision {
  return { error: sd / Math.sqrt(n), df: n - 1 };
}

/** Of the difference of two means, with Welch and Satterthwaite's degrees of freedom (Welch 1947). */
export function precisionOfDifference(a: Spread, b: Spread): Precision {
  const [ea, eb] = [a.sd / Math.sqrt(a.n), b.sd / Math.sqrt(b.n)];
  const error = Math.hypot(ea, eb);
  // Of shares of the variance: the squares of tiny variances would vanish.
  const [sa, sb] = [(ea / error) ** 2, (eb / error) ** 2];
  const df = error === 0 ? a.n + b.n - 2 : 1 / (sa ** 2 / (a.n - 1) + sb ** 2 / (b.n - 1));
  return { error, df };
}

/**
 * Student's t test of the mean of paired differences (Student 1908). Effect size d_z: mean over standard deviation of the
 * differences.
 */
export function pairedTTest(differences: readonly number[], settings: TestSettings): TestOutcome {
  const { n, mean, sd } = describe(differences);
  const { error, df } = precisionOfMean({ sd, n });
  const t = studentize(mean, error);
  return {
    statistic: t,
    df,
    p: tP(t, df, settings.alternative),
    difference: mean,
    interval: intervalAround(mean, error, (p) => tQuantile(p, df), settings),
    effect: { name: 'd_z', size: studentize(mean, sd) },
    n,
  };
}

/** Of a mean, by Student's t, with confidence 1 - alpha; NaN when n < 2. */
export function meanInterval({ n, mean, sd }: Description, alpha: number): Interval {
  const { error, df } = precisionOfMean({ sd, n });
  return intervalAround(mean, error, (p) => tQuantile(p, df), {
    alpha,
    alternative: 'two-sided',
  });
}

/**
 * Welch's t test of two means with unequal variances (Welch 1947). Effect size: Hedges' g with the pooled standard
 * deviation and the exact correction for small samples (Hedges 1981).
 */
export function welchTTest(
  baseline: readonly number[],
  treatment: readonly number[],
  settings: TestSettings,
): TestOutcome {
  // Far from zero, a mean has fewer digits than the difference of two: both count from one of the values.
  const origin = baseline.find(Number.isFinite) ?? 0;
  const from = (values: readonly number[]): Description => describe(values.map((value) => value - origin));
  return welchTTestOf(from(baseline), from(treatment), settings);
}

/** The same of samples of which no more is known than this. */
export function welchTTestOf(a: Description, b: Description, settings: TestSettings): TestOutcome {
  const { error, df } = precisionOfDifference(a, b);
  const difference = b.mean - a.mean;
  const t = studentize(difference, error);
  const pooled = Math.hypot(a.sd * Math.sqrt(a.n - 1), b.sd * Math.sqrt(b.n - 1)) / Math.sqrt(a.n + b.n - 2);
  return {
    statistic: t,
    df,
    p: tP(t, df, settings.alternative),
    difference,
    interval: intervalAround(difference, error, (p) => tQuantile(p, df), settings),
    effect: { name: 'hedges_g', size: studentize(difference, pooled) * smallSample(a.n + b.n - 2) },
    n: a.n + b.n,
  };
}

/** Makes Cohen's d unbiased: Gamma(v/2) / (sqrt(v/2) Gamma((v-1)/2)) for v degrees of freedom. */
function smallSample(df: number): number {
  return Math.exp(logGamma(df / 2) - logGamma((df - 1) / 2) - 0.5 * Math.log(df / 2));
}

/**
 * Two one-sided t tests (Schuirmann 1987): is the mean paired difference inside of (-margin, margin)? The interval has
 * confidence 1 - 2 alpha, and lies inside of the margins exactly when the test says so.
 */
export function equivalenceTest(
  differences: readonly number[],
  margin: number,
  { alpha }: Pick<TestSettings, 'alpha'>,
): TestOutcome {
  const { n, mean, sd } = describe(differences);
  const { error, df } = precisionOfMean({ sd, n });
  const above = studentize(mean + margin, error);
  const below = studentize(mean - margin, error);
  const p = Math.max(tP(above, df, 'greater'), tP(below, df, 'less'));
  return {
    statistic: Math.abs(above) < Math.abs(below) ? above : below,
    df,
    p,
    difference: mean,
    interval: intervalAround(mean, error, (q) => tQuantile(q, df), {
      alpha: 2 * alpha,
      alternative: 'two-sided',
    }),
    effect: { name: 'd_z', size: studentize(mean, sd) },
    n,
  };
}
