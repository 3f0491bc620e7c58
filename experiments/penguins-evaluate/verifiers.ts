type Samples = Record<string, number[]>;

/** Beyond this the 2^n signs take longer than they are worth. */
const MOST_PAIRS = 24;

/**
 * Exact sign-flip test of the first metric's mean paired difference, two-sided: if the condition made no difference,
 * the sign of each replicate's difference would be a coin toss.
 *
 * The replicates split the same 342 birds again and again, so they are not independent. A small p says that another
 * 20 splits of these birds would agree; of new birds it says less.
 */
export function sign_flip(baseline: Samples, treatment: Samples) {
  const [metric = ''] = Object.keys(baseline);
  const before = baseline[metric] ?? [];
  const after = treatment[metric] ?? [];
  if (before.length !== after.length)
    throw new RangeError(`${before.length} and ${after.length} do not pair`);
  const differences = after.map((value, i) => value - (before[i] ?? Number.NaN));
  const difference = differences.reduce((sum, d) => sum + d, 0) / differences.length;
  const p_value = signFlipP(differences);
  return { difference, p_value, significant: p_value < 0.05 };
}

/** Share of all 2^n choices of signs whose sum is at least as far from zero as the one that was seen. */
function signFlipP(differences: readonly number[]): number {
  const n = differences.length;
  if (n > MOST_PAIRS) throw new RangeError(`at most ${MOST_PAIRS} pairs, got ${n}`);
  if (differences.some(Number.isNaN)) return Number.NaN;
  const observed = Math.abs(differences.reduce((sum, d) => sum + d, 0));
  const rounding = 1e-9 * differences.reduce((sum, d) => sum + Math.abs(d), 0);
  const signed = [...differences];
  let sum = signed.reduce((total, d) => total + d, 0);
  let extreme = 1;
  // Gray code: each choice differs from the one before in the sign of one pair.
  for (let choice = 1; choice < 2 ** n; choice++) {
    const flipped = 31 - Math.clz32(choice & -choice);
    sum -= 2 * (signed[flipped] ?? 0);
    signed[flipped] = -(signed[flipped] ?? 0);
    if (Math.abs(sum) >= observed - rounding) extreme++;
  }
  return extreme / 2 ** n;
}
