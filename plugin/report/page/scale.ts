/** A range of values with ticks at round ones. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** A number format of D3 that tells the ticks apart. */
  readonly format: string;
}

/** Beyond it the distance between two values could be infinite. */
const LARGEST = 8e307;
/** Below it the distance between two ticks could be nothing. */
const SMALLEST = 1e-300;
/** Characters that fit under a chart. */
const ROOM = 40;
const GAP = 2;
/** Values that differ by less than this part of themselves differ by rounding. */
const ROUNDING = 1e-12;

/** What is drawn of a value: undefined when it is no number at all. */
export function drawable(value: number | undefined): number | undefined {
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return Math.max(-LARGEST, Math.min(LARGEST, value));
}

/** Holds all of these values, with some room on either side; and zero when there is nothing else. */
export function scaleOf(values: Iterable<number | undefined>): Scale {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const raw of values) {
    const value = drawable(raw);
    if (value === undefined) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = [0, 0];
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= Math.max(size * ROUNDING, size === 0 ? 0 : SMALLEST)) {
    const room = size === 0 ? 1 : Math.max(size / 10, SMALLEST);
    [low, high] = [low - room, high + room];
  } else {
    const room = (high - low) * 0.04;
    [low, high] = [low - room, high + room];
  }
  const choices = [6, 4, 3, 2].map((most) => ticksOf(low, high, most));
  const { ticks, format } = choices.find(({ width }) => width <= ROOM) ?? (choices.at(-1) as Ticks);
  return { low, high, ticks, format };
}

interface Ticks extends Pick<Scale, 'ticks' | 'format'> {
  /** Of all labels, in characters. */
  readonly width: number;
}

function ticksOf(low: number, high: number, most: number): Ticks {
  const step = roundStep((high - low) / most);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step); i <= Math.floor(high / step); i++)
    ticks.push(Number((i * step).toPrecision(12)));
  const largest = Math.max(step, ...ticks.map(Math.abs));
  const digits = Math.min(12, Math.floor(Math.log10(largest / step)) + 2);
  const short = largest >= 1e6 || step < 1e-5;
  const labels = ticks.map((tick) => (short ? trimmed(tick.toPrecision(digits)) : String(tick)));
  const longest = Math.max(...labels.map((label) => label.length));
  return { ticks, format: `.${digits}~${short ? 'g' : 'r'}`, width: (longest + GAP) * ticks.length };
}

/** As D3 writes it: without zeros at the end. */
function trimmed(label: string): string {
  return label.includes('.') ? label.replace(/\.?0+(?=e|$)/, '') : label;
}

/** The next of 1, 2, 5 times a power of ten. */
function roundStep(rough: number): number {
  const exponent = Math.floor(Math.log10(rough));
  for (const factor of [1, 2, 5]) {
    const step = Number(`${factor}e${exponent}`);
    if (step >= rough) return step;
  }
  return Number(`1e${exponent + 1}`);
}
