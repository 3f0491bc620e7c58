import { chiSquaredCdf, normalCdf } from './distributions.ts';

/** Gauss and Legendre's eight points and weights on (-1, 1): these and their mirror images. */
const POINTS = [
  [0.1834346424956498, 0.362683783378362],
  [0.525532409916329, 0.3137066458778873],
  [0.7966664774136267, 0.2223810344533745],
  [0.9602898564975363, 0.1012285362903763],
] as const;

const PANELS = 20;
/** Beyond so many standard deviations there is nothing left to be seen. */
const FAR = 10;

export interface Tail {
  readonly probability: number;
  /** By the noncentrality. */
  readonly slope: number;
}

/**
 * P(T > t) for t > 0, T = (Z + noncentrality) / sqrt(V / df) with Z normal and V chi-squared: the mean, over Z, of the
 * probability that V stays below df ((Z + noncentrality) / t)^2.
 */
export function noncentralTTail(t: number, df: number, noncentrality: number): Tail {
  // Where sqrt(V / df) is, and so where that probability rises from 0 to 1.
  const spread = FAR / Math.sqrt(2 * df);
  const from = Math.max(-FAR, t * Math.max(0, 1 - spread) - noncentrality);
  const to = Math.max(from, Math.min(FAR, t * (1 + spread) - noncentrality));
  let probability = normalCdf(-to);
  let slope = density(to);
  const half = (to - from) / (2 * PANELS);
  for (let panel = 0; panel < PANELS; panel++) {
    const middle = from + (2 * panel + 1) * half;
    for (const [point, weight] of POINTS) {
      for (const z of [middle - point * half, middle + point * half]) {
        const below = chiSquaredCdf(df * ((z + noncentrality) / t) ** 2, df);
        const part = half * weight * density(z) * below;
        probability += part;
        slope += part * z;
      }
    }
  }
  return { probability, slope };
}

function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}
