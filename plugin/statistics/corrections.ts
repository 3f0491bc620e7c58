export type Correction = 'holm' | 'benjamini-hochberg' | 'none';

/** P-values corrected for their number, in the order in which they came. NaN stays, and does not count. */
export function correct(pValues: readonly number[], correction: Correction): number[] {
  if (correction === 'none') return [...pValues];
  const order = pValues.map((_, i) => i).filter((i) => !Number.isNaN(pValues[i]));
  order.sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  const adjusted = [...pValues];
  const count = order.length;
  if (correction === 'holm') {
    // Holm 1979: the smallest times count, the next times count - 1, never falling.
    let largest = 0;
    for (const [rank, i] of order.entries()) {
      largest = Math.max(largest, Math.min(1, (count - rank) * (pValues[i] as number)));
      adjusted[i] = largest;
    }
  } else {
    // Benjamini & Hochberg 1995, from the largest on, never rising.
    let smallest = 1;
    for (const [back, i] of order.reverse().entries()) {
      smallest = Math.min(smallest, ((pValues[i] as number) * count) / (count - back));
      adjusted[i] = smallest;
    }
  }
  return adjusted;
}
