/** Location and spread of a sample. */
export interface Description {
  /** Values that are numbers; NaN is counted as missing. */
  readonly n: number;
  readonly missing: number;
  readonly mean: number;
  /** Sample standard deviation, with n - 1; NaN when n < 2. */
  readonly sd: number;
}

/** Mean and sample standard deviation, in two passes so that a large mean does not eat the digits. */
export function describe(values: readonly number[]): Description {
  const present = values.filter((value) => !Number.isNaN(value));
  const n = present.length;
  const mean = meanOf(present);
  const squares = present.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, missing: values.length - n, mean, sd: n < 2 ? Number.NaN : Math.sqrt(squares / (n - 1)) };
}

/** NaN of nothing. A correction pass removes the rounding that a plain sum leaves. */
export function meanOf(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const rough = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (!Number.isFinite(rough)) return rough;
  return rough + values.reduce((sum, value) => sum + (value - rough), 0) / values.length;
}
