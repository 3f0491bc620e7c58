/** A number and a unit, such as `90s`, `1.5m` or `2h`. */
export const DURATION_PATTERN = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `10m` in milliseconds; undefined when the text does not have that form. */
export function parseDuration(text: string): number | undefined {
  if (!new RegExp(DURATION_PATTERN).test(text)) return undefined;
  const unit = /[a-z]+$/.exec(text)?.[0] as keyof typeof UNIT_MS;
  return Number.parseFloat(text) * UNIT_MS[unit];
}
