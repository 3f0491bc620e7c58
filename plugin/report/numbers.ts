/** Four significant digits, without an exponent where that stays short. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-4) return value.toExponential(3);
  return Number.isInteger(value) ? String(value) : value.toPrecision(magnitude >= 1000 ? 6 : 4);
}
