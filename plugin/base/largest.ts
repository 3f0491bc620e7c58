/** Like `Math.max`, which takes no more numbers than the stack has room for: reports have rows by the hundred thousand. */
export function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), Number.NEGATIVE_INFINITY);
}
