/** Location and spread of a sample. */
export interface Description {
  /** Values that are numbers; NaN is counted as missing. */
  readonly n: number;
  readonly missing: number;
  readonly mean: number;
  /** Sample standard deviation, with n - 1; NaN when n < 2. */
  readonly sd: number;
}

/**
 * Mean and sample standard deviation, in two passes so that a large mean does not eat the digits. Deviations are scaled by a
 * power of two, so that the squares of tiny ones do not vanish: a spread of nothing would make any difference significant.
 */
export function describe(values: readonly number[]): Description {
  const present = values.filter((value) => !Number.isNaN(value));
  const n = present.length;
  const mean = meanOf(present);
  const scale = scaleOf(present.reduce((most, value) => Math.max(most, Math.abs(value - mean)), 0));
  const squares = present.reduce((sum, value) => sum + ((value - mean) / scale) ** 2, 0);
  return {
    n,
    missing: values.length - n,
    mean,
    sd: n < 2 ? Number.NaN : scale * Math.sqrt(squares / (n - 1)),
  };
}

/** Dividing by a power of two loses no digit. */
function scaleOf(largest: number): number {
  return largest > 0 && Number.isFinite(largest) ? 2 ** Math.floor(Math.log2(largest)) : 1;
}

/** NaN of nothing. A correction pass removes the rounding that a plain sum leaves. */
export function meanOf(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const rough = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (!Number.isFinite(rough)) return rough;
  return rough + values.reduce((sum, value) => sum + (value - rough), 0) / values.length;
}
