import { late } from '../base/late.ts';

/** The functions that are used of the library; of its own types, its `exports` hide all. */
interface Cephes {
  igam(a: number, x: number): number;
  incbet(a: number, b: number, x: number): number;
  incbi(a: number, b: number, y: number): number;
  lgam(x: number): number;
  ndtr(x: number): number;
  ndtri(p: number): number;
}

/** As CommonJS: its ES module has functions only some time after it was imported. */
const cephes = late<Cephes>('cephes');

/** What the library throws becomes the value that the mathematics has there: nothing of an underflow, else not a number. */
function calm(compute: (library: Cephes) => number): number {
  try {
    return compute(cephes());
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('cephes reports'))) throw error;
    return error.message.includes('underflow') ? 0 : Number.NaN;
  }
}

/** P(T <= t) of Student's t with any positive number of degrees of freedom. */
export function tCdf(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0)) return Number.NaN;
  if (!Number.isFinite(t)) return t > 0 ? 1 : 0;
  const tail = tTail(Math.abs(t), df);
  return t > 0 ? 1 - tail : tail;
}

/** P(T >= t) for t >= 0, with all its digits also where it is tiny. */
export function tTail(t: number, df: number): number {
  if (!Number.isFinite(t)) return 0;
  const squared = t * t;
  // Of the two forms of the incomplete beta function the one whose argument keeps its digits.
  return calm((library) =>
    t < 0.5
      ? 0.5 * (1 - library.incbet(0.5, df / 2, squared / (df + squared)))
      : 0.5 * library.incbet(df / 2, 0.5, df / (df + squared)),
  );
}

/** The t with P(T <= t) = p. */
export function tQuantile(p: number, df: number): number {
  if (!(df > 0) || !(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0.5) return 0;
  if (p === 0 || p === 1) return p === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const tail = Math.min(p, 1 - p);
  const x = calm((library) => library.incbi(df / 2, 0.5, 2 * tail));
  let t = Math.sqrt((df * (1 - x)) / x);
  // Newton steps mend what the inverse lost near the middle.
  for (let step = 0; step < 2 && Number.isFinite(t); step++) t += (tTail(t, df) - tail) / tDensity(t, df);
  return p < 0.5 ? -t : t;
}

function tDensity(t: number, df: number): number {
  const log = logGamma((df + 1) / 2) - logGamma(df / 2) - 0.5 * Math.log(df * Math.PI);
  return Math.exp(log - ((df + 1) / 2) * Math.log1p((t * t) / df));
}

export function normalCdf(z: number): number {
  if (!Number.isFinite(z)) return Number.isNaN(z) ? z : z > 0 ? 1 : 0;
  return calm((library) => library.ndtr(z));
}

export function normalQuantile(p: number): number {
  if (p <= 0 || p >= 1) return p <= 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return calm((library) => library.ndtri(p));
}

/** Natural logarithm of the gamma function. */
export function logGamma(x: number): number {
  return x > 0 ? calm((library) => library.lgam(x)) : Number.NaN;
}

/** P(V <= v) of chi-squared with any positive number of degrees of freedom. */
export function chiSquaredCdf(v: number, df: number): number {
  return v > 0 ? calm((library) => library.igam(df / 2, v / 2)) : 0;
}
