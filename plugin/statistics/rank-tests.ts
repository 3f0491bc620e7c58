import { normalQuantile } from './distributions.ts';
import {
  type Alternative,
  type Interval,
  normalP,
  openOn,
  type TestOutcome,
  type TestSettings,
} from './outcome.ts';
import { kthSum, midRanks, tieTerm } from './ranks.ts';

/** Up to this many values in a sample the distribution of the statistic is counted out. */
const EXACT_UP_TO = 50;

/**
 * Wilcoxon's signed-rank test of paired differences (Wilcoxon 1945). Differences of zero are left out; equal ones share
 * their mean rank, and the exact distribution is the one given these ranks. Beyond 50 differences: normal approximation
 * with the variance corrected for ties. The difference is the Hodges-Lehmann pseudo-median, the effect size the matched
 * rank-biserial correlation.
 */
export function wilcoxonSignedRank(differences: readonly number[], settings: TestSettings): TestOutcome {
  const nonZero = differences.filter((d) => d !== 0);
  const n = nonZero.length;
  const sizes = nonZero.map(Math.abs);
  const ranks = midRanks(sizes);
  const positive = ranks.reduce((sum, rank, i) => ((nonZero[i] as number) > 0 ? sum + rank : sum), 0);
  const total = (n * (n + 1)) / 2;
  const exact = n <= EXACT_UP_TO;
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tieTerm(sizes) / 48;
  const p =
    n === 0
      ? Number.NaN
      : exact
        ? exactP(signedRankCounts(ranks), positive * 2, settings.alternative)
        : normalP((positive - total / 2) / Math.sqrt(variance), settings.alternative);
  return {
    statistic: positive,
    p,
    difference: walshQuantile(differences, 0.5),
    interval: walshInterval(differences, settings),
    effect: { name: 'rank_biserial', size: (2 * positive - total) / total },
    n: differences.length,
  };
}

/**
 * Mann and Whitney's U test of two samples (1947). Without ties and with at most 50 values a sample exact, else the normal
 * approximation with continuity correction and the variance corrected for ties. The difference is the Hodges-Lehmann
 * shift, the effect size Cliff's delta.
 */
export function mannWhitneyU(
  baseline: readonly number[],
  treatment: readonly number[],
  settings: TestSettings,
): TestOutcome {
  const [m, n] = [baseline.length, treatment.length];
  const all = [...treatment, ...baseline];
  const ranks = midRanks(all);
  const u = ranks.slice(0, n).reduce((sum, rank) => sum + rank, 0) - (n * (n + 1)) / 2;
  const ties = tieTerm(all);
  const exact = ties === 0 && m <= EXACT_UP_TO && n <= EXACT_UP_TO;
  const size = m + n;
  const sd = Math.sqrt(((m * n) / 12) * (size + 1 - ties / (size * (size - 1))));
  const p =
    m === 0 || n === 0
      ? Number.NaN
      : exact
        ? exactP(rankSumCounts(m, n), u, settings.alternative)
        : correctedP(u - (m * n) / 2, sd, settings.alternative);
  return {
    statistic: u,
    p,
    difference: shiftQuantile(baseline, treatment, 0.5),
    interval: shiftInterval(baseline, treatment, settings),
    effect: { name: 'cliffs_delta', size: (2 * u) / (m * n) - 1 },
    n: size,
  };
}

/** Half a step towards the middle, where the statistic has steps of one; where all values tie, nothing speaks against it. */
function correctedP(distance: number, sd: number, alternative: Alternative): number {
  if (alternative === 'two-sided') {
    const beyond = Math.abs(distance) - 0.5;
    return beyond <= 0 ? 1 : normalP(beyond / sd, alternative);
  }
  return normalP((distance + (alternative === 'greater' ? -0.5 : 0.5)) / sd, alternative);
}

/** How many of the 2^n choices of signs come to each sum of ranks; index: twice the sum, since ties have half ranks. */
function signedRankCounts(ranks: readonly number[]): number[] {
  let counts = [1];
  for (const rank of ranks) {
    const step = Math.round(2 * rank);
    const next = new Array<number>(counts.length + step).fill(0);
    for (const [sum, count] of counts.entries()) {
      next[sum] = (next[sum] as number) + count;
      next[sum + step] = (next[sum + step] as number) + count;
    }
    counts = next;
  }
  return counts;
}

/** How many arrangements of m and n values come to each U. */
function rankSumCounts(m: number, n: number): number[] {
  const counts = new Array<number>(m * n + 1).fill(0);
  counts[0] = 1;
  // The generating function is the Gaussian binomial: multiply by (1 - q^(n+i)), divide by (1 - q^i).
  for (let i = 1; i <= m; i++) {
    for (let u = m * n; u >= n + i; u--) counts[u] = (counts[u] as number) - (counts[u - n - i] as number);
    for (let u = i; u <= m * n; u++) counts[u] = (counts[u] as number) + (counts[u - i] as number);
  }
  return counts;
}

/**
 * P-value of a statistic whose possible values have these counts. They are the same from both ends; in numbers beyond 2^53 those
 * near the upper one are what large ones leave when they are subtracted, and not to be used.
 */
function exactP(counts: readonly number[], statistic: number, alternative: Alternative): number {
  const at = Math.round(statistic);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const upTo = (value: number): number =>
    counts.slice(0, value + 1).reduce((sum, count) => sum + count, 0) / total;
  const upper = upTo(counts.length - 1 - at);
  const lower = upTo(at);
  if (alternative === 'greater') return upper;
  return alternative === 'less' ? lower : Math.min(1, 2 * Math.min(lower, upper));
}

/** The largest number of values that a tail of at most `tail` leaves out on one side. */
function criticalCount(counts: readonly number[], tail: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  for (const [value, count] of counts.entries()) {
    sum += count;
    if (sum / total > tail) return value;
  }
  return counts.length;
}

/** Means of all pairs of differences, each with itself too. */
function walshQuantile(differences: readonly number[], share: number): number {
  const pick = walshPicker(differences);
  return middle(pick, (differences.length * (differences.length + 1)) / 2, share);
}

/** Distribution-free interval of the pseudo-median (Hollander, Wolfe & Chicken 2014, 3.3). */
function walshInterval(differences: readonly number[], settings: TestSettings): Interval {
  const n = differences.length;
  const total = (n * (n + 1)) / 2;
  const sd = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
  const ranks = Array.from({ length: n <= EXACT_UP_TO ? n : 0 }, (_, i) => (i + 1) / 2);
  return rankInterval(walshPicker(differences), total, settings, (tail) =>
    n <= EXACT_UP_TO
      ? criticalCount(signedRankCounts(ranks), tail)
      : Math.floor(total / 2 + normalQuantile(tail) * sd),
  );
}

function shiftQuantile(baseline: readonly number[], treatment: readonly number[], share: number): number {
  return middle(shiftPicker(baseline, treatment), baseline.length * treatment.length, share);
}

/** Distribution-free interval of the shift (Hollander, Wolfe & Chicken 2014, 4.3). */
function shiftInterval(
  baseline: readonly number[],
  treatment: readonly number[],
  settings: TestSettings,
): Interval {
  const [m, n] = [baseline.length, treatment.length];
  const total = m * n;
  const sd = Math.sqrt((m * n * (m + n + 1)) / 12);
  return rankInterval(shiftPicker(baseline, treatment), total, settings, (tail) =>
    m <= EXACT_UP_TO && n <= EXACT_UP_TO
      ? criticalCount(rankSumCounts(m, n), tail)
      : Math.floor(total / 2 + normalQuantile(tail) * sd),
  );
}

type Picker = (k: number) => number;

/** From the value behind those that may lie outside to the one before, counted from both ends. */
function rankInterval(
  pick: Picker,
  total: number,
  { alpha, alternative }: TestSettings,
  outside: (tail: number) => number,
): Interval {
  const leftOut = outside(alternative === 'two-sided' ? alpha / 2 : alpha);
  const [low, high] = [
    leftOut >= 1 ? pick(leftOut) : -Infinity,
    leftOut >= 1 ? pick(total + 1 - leftOut) : Infinity,
  ];
  if (total === 0) return { low: Number.NaN, high: Number.NaN };
  return openOn(alternative, low, high);
}

function middle(pick: Picker, total: number, share: number): number {
  if (total === 0) return Number.NaN;
  const at = (total - 1) * share + 1;
  const [low, high] = [pick(Math.floor(at)), pick(Math.ceil(at))];
  return low === high ? low : (low + high) / 2;
}

function walshPicker(differences: readonly number[]): Picker {
  const sorted = Float64Array.from(differences).sort();
  const n = sorted.length;
  const countUpTo = (value: number): number => {
    let count = 0;
    // For each i the last j >= i whose mean is at most the value: it falls as i rises.
    for (let i = 0, j = n - 1; i < n; i++) {
      while (j >= i && ((sorted[i] as number) + (sorted[j] as number)) / 2 > value) j--;
      if (j < i) break;
      count += j - i + 1;
    }
    return count;
  };
  return (k) => kthSum(k, sorted[0] as number, sorted[n - 1] as number, countUpTo);
}

function shiftPicker(baseline: readonly number[], treatment: readonly number[]): Picker {
  const a = Float64Array.from(baseline).sort();
  const b = Float64Array.from(treatment).sort();
  const countUpTo = (value: number): number => {
    let count = 0;
    for (let i = 0, j = 0; i < a.length; i++) {
      while (j < b.length && shiftOf(a[i] as number, b[j] as number) <= value) j++;
      count += j;
    }
    return count;
  };
  const [low, high] = [
    shiftOf(a[a.length - 1] as number, b[0] as number),
    shiftOf(a[0] as number, b[b.length - 1] as number),
  ];
  return (k) => kthSum(k, low, high, countUpTo);
}

/** Infinities of one sign tie, as they do in ranks. */
function shiftOf(from: number, to: number): number {
  return from === to ? 0 : to - from;
}
