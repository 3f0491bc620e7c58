import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, meanOf } from './describe.ts';
import { normalCdf, normalQuantile } from './distributions.ts';
import {
  type Alternative,
  type Interval,
  leastP,
  openOn,
  type TestOutcome,
  type TestSettings,
} from './outcome.ts';
import { pairedTTest } from './t-tests.ts';

/** Up to this many pairs all 2^n choices of signs are tried. */
const EXACT_PAIRS = 20;
const FLIPS = 100_000;
const RESAMPLES = 10_000;

interface Resampled {
  readonly interval: Interval;
  readonly p: number;
}

/** Resampling starts from this seed: the same samples give the same numbers. */
const SEED = 20_090_401;

/**
 * Permutation test of the mean paired difference: without an effect the sign of each difference is a coin toss (Fisher 1935).
 * Up to 20 pairs exact; beyond, 100,000 seeded choices of signs, with the observed one among them (Phipson & Smyth
 * 2010). The interval is that of the paired t test.
 */
export function signFlipPermutation(differences: readonly number[], settings: TestSettings): TestOutcome {
  const { n, mean, sd } = describe(differences);
  const observed = differences.reduce((sum, d) => sum + d, 0);
  const slack = roundingOf(differences);
  const asFar = {
    'two-sided': (sum: number) => Math.abs(sum) >= Math.abs(observed) - slack,
    greater: (sum: number) => sum >= observed - slack,
    less: (sum: number) => sum <= observed + slack,
  }[settings.alternative];
  const p =
    n === 0 || !Number.isFinite(slack)
      ? Number.NaN
      : n <= EXACT_PAIRS
        ? exactShare(differences, asFar)
        : sampledShare(differences, asFar);
  return {
    statistic: mean,
    p,
    difference: mean,
    interval: pairedTTest(differences, settings).interval,
    effect: { name: 'd_z', size: mean / sd },
    n,
  };
}

/**
 * Bias-corrected and accelerated bootstrap interval of the mean paired difference (Efron 1987), from 10,000 seeded resamples.
 * The p-value is the one at which the interval would just reach zero. With few pairs the interval is too narrow. With so few
 * that chance alone would often put all of them on one side of zero, no resample could reach it: then the interval is open, and p
 * what these signs can say.
 */
export function bootstrapCi(differences: readonly number[], settings: TestSettings): TestOutcome {
  const { n, mean, sd } = describe(differences);
  const { interval, p } = bySigns(differences, bca(differences, settings), settings);
  return { statistic: mean, p, difference: mean, interval, effect: { name: 'd_z', size: mean / sd }, n };
}

/** Of resamples of so few pairs that one sign of all of them is no rarer than alpha, none would reach zero. */
function bySigns(
  differences: readonly number[],
  { interval, p }: Resampled,
  { alpha, alternative }: TestSettings,
): Resampled {
  if (Number.isNaN(p)) return { interval, p };
  const least = leastP(differences.length, alternative);
  const open = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  return { interval: least >= alpha && varies(differences) ? open : interval, p: Math.max(least, p) };
}

/**
 * What may be rounding in a sum of these: sums of the same numbers in another order differ in their last digits. Not finite
 * where sums are not, and nothing can be said of them.
 */
function roundingOf(differences: readonly number[]): number {
  return 1e-12 * differences.reduce((sum, d) => sum + Math.abs(d), 0);
}

/** By more than rounding: what a treatment adds to any number comes back with other last digits. */
function varies(differences: readonly number[]): boolean {
  return describe(differences).sd > roundingOf(differences) / differences.length;
}

function exactShare(differences: readonly number[], asFar: (sum: number) => boolean): number {
  const choices = 2 ** differences.length;
  let sum = -differences.reduce((total, d) => total + d, 0);
  let count = asFar(sum) ? 1 : 0;
  // A Gray code turns one sign at a time.
  const signs = new Int8Array(differences.length).fill(-1);
  for (let i = 1; i < choices; i++) {
    const at = 31 - Math.clz32(i & -i);
    signs[at] = -(signs[at] as number);
    sum += 2 * (signs[at] as number) * (differences[at] as number);
    if (asFar(sum)) count++;
  }
  return count / choices;
}

/**
 * Sums of differences under random signs, eight at a time: what a byte of signs makes of them stands in a table. 256 sums
 * for each eight differences are soon worth it.
 */
function sampledShare(differences: readonly number[], asFar: (sum: number) => boolean): number {
  const generator = xoroshiro128plus(SEED);
  const tables = Math.ceil(differences.length / 8);
  const sums = new Float64Array(256 * tables);
  for (let table = 0; table < tables; table++)
    for (let signs = 0; signs < 256; signs++)
      sums[256 * table + signs] = signedSum(differences, 8 * table, signs);
  let count = 1;
  for (let flip = 0; flip < FLIPS; flip++) {
    let sum = 0;
    let bits = 0;
    for (let table = 0; table < tables; table++) {
      if (table % 4 === 0) bits = generator.next();
      sum += sums[256 * table + (bits & 255)] as number;
      bits >>>= 8;
    }
    if (asFar(sum)) count++;
  }
  return count / (FLIPS + 1);
}

/** Of eight differences, or those that are left. */
function signedSum(differences: readonly number[], from: number, signs: number): number {
  let sum = 0;
  for (let i = 0; i < 8 && from + i < differences.length; i++) {
    const d = differences[from + i] as number;
    sum += (signs >> i) & 1 ? d : -d;
  }
  return sum;
}

function bca(differences: readonly number[], settings: TestSettings): Resampled {
  const n = differences.length;
  if (n < 2) return { interval: { low: Number.NaN, high: Number.NaN }, p: Number.NaN };
  const generator = xoroshiro128plus(SEED);
  const values = Float64Array.from(differences);
  const share = n / 2 ** 32;
  const means = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    // Of 2^32 numbers n equal shares, but for less than one in a million.
    for (let i = 0; i < n; i++) sum += values[Math.floor((generator.next() >>> 0) * share)] as number;
    return sum / n;
  });
  return bcaOf(differences, means, settings);
}

/** @param means of resamples; sorted in place */
export function bcaOf(
  differences: readonly number[],
  means: Float64Array,
  { alpha, alternative }: TestSettings,
): Resampled {
  const mean = meanOf(differences);
  const slack = roundingOf(differences) / differences.length;
  if (!Number.isFinite(slack)) return { interval: { low: Number.NaN, high: Number.NaN }, p: Number.NaN };
  means.sort();
  const first = means[0] as number;
  const last = means[means.length - 1] as number;
  if (first === last || !varies(differences))
    return {
      interval: openOn(alternative, first, last),
      p: mean === 0 ? Number.NaN : pointP(mean, alternative),
    };
  const around = (value: number): { less: number; equal: number } => {
    let less = 0;
    let equal = 0;
    for (const m of means) {
      if (m < value - slack) less++;
      else if (m <= value + slack) equal++;
    }
    return { less: less / means.length, equal: equal / means.length };
  };
  const { less, equal } = around(mean);
  // Half of those that tie count as below.
  const bias = normalQuantile(less + equal / 2);
  const acceleration = jackknifeAcceleration(differences);
  const share = (p: number): number => {
    const z = bias + normalQuantile(p);
    return normalCdf(bias + z / (1 - acceleration * z));
  };
  const tail = alternative === 'two-sided' ? alpha / 2 : alpha;
  const [low, high] = [quantile(means, share(tail)), quantile(means, share(1 - tail))];
  // The same correction the other way round. An interval that ends at zero holds it: resamples at zero count on both sides.
  const zero = around(0);
  const zOf = (rank: number): number => {
    const w = normalQuantile(Math.min(Math.max(rank, 0.5 / means.length), 1 - 0.5 / means.length)) - bias;
    return w / (1 + acceleration * w) - bias;
  };
  // So many resamples do not tell smaller ones apart.
  const known = (p: number): number => Math.max(p, 0.5 / means.length);
  const greater = known(normalCdf(zOf(zero.less + zero.equal)));
  const lower = known(normalCdf(-zOf(zero.less)));
  const p = { greater, less: lower, 'two-sided': Math.min(1, 2 * Math.min(greater, lower)) }[alternative];
  return { interval: openOn(alternative, low, high), p };
}

/** Every difference is the same: what remains is its side. */
function pointP(mean: number, alternative: Alternative): number {
  if (alternative === 'two-sided') return 0;
  return mean > 0 === (alternative === 'greater') ? 0 : 1;
}

/** Of the mean: the skewness of the jackknifed means, over 6. */
function jackknifeAcceleration(differences: readonly number[]): number {
  const { mean, sd } = describe(differences);
  let squares = 0;
  let cubes = 0;
  // Of their size, so that the cubes neither vanish nor overflow.
  for (const d of sd > 0 ? differences : []) {
    const size = (d - mean) / sd;
    squares += size * size;
    cubes += size * size * size;
  }
  // Products, since powers differ in their last digit between versions of Node.
  return squares === 0 ? 0 : cubes / (6 * squares * Math.sqrt(squares));
}

/** Linear interpolation between the values in order (type 7 of Hyndman & Fan 1996). */
function quantile(sorted: Float64Array, share: number): number {
  const at = (sorted.length - 1) * share;
  const from = Math.floor(at);
  const [low, high] = [sorted[from] as number, sorted[Math.min(from + 1, sorted.length - 1)] as number];
  return low + (high - low) * (at - from);
}
