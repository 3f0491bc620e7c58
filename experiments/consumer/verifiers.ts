type Samples = Record<string, number[]>;

/** The mean of the paired differences of the first metric, treatment minus baseline. */
export function mean_difference(baseline: Samples, treatment: Samples) {
  const [metric = ''] = Object.keys(baseline);
  const before = baseline[metric] ?? [];
  const differences = (treatment[metric] ?? []).map((value, i) => value - (before[i] ?? Number.NaN));
  return { difference: differences.reduce((sum, d) => sum + d, 0) / differences.length };
}
