/** Ranks from 1, ties with their mean rank. */
export function midRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to++;
    for (let at = from; at < to; at++) ranks[order[at] as number] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

/** Sum of t^3 - t over groups of t equal values: what ties take from the variance. */
export function tieTerm(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let sum = 0;
  for (const count of counts.values()) sum += count ** 3 - count;
  return sum;
}

/**
 * Number `k` (from 1) in order among all sums x[i] + y[j], where `pairs` counts those below or at a value: found by
 * bisection on the doubles themselves, without listing the sums.
 *
 * @param countUpTo how many sums are at most a value; rising
 */
export function kthSum(k: number, low: number, high: number, countUpTo: (value: number) => number): number {
  let [from, to] = [toOrdered(low), toOrdered(high)];
  while (from < to) {
    const middle = (from + to) >> 1n;
    if (countUpTo(fromOrdered(middle)) >= k) to = middle;
    else from = middle + 1n;
  }
  return fromOrdered(from);
}

const buffer = new DataView(new ArrayBuffer(8));

/** Doubles as whole numbers in the same order. */
function toOrdered(value: number): bigint {
  buffer.setFloat64(0, value === 0 ? 0 : value);
  const bits = buffer.getBigInt64(0);
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
}

function fromOrdered(ordered: bigint): number {
  buffer.setBigInt64(0, ordered < 0n ? -ordered | -0x8000000000000000n : ordered);
  return buffer.getFloat64(0);
}
