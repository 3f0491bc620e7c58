import { nearest } from '../base/names.ts';

/** Options of the executor, from the target and from the command line. */
export interface RunExecutorOptions {
  readonly condition?: string;
  readonly replicates?: number;
  readonly seed?: number;
  readonly workers?: number;
  readonly failFast?: boolean;
  readonly strategy?: 'resume' | 'rerun';
  readonly reads?: Readonly<Record<string, string>>;
  readonly shard?: string;
  readonly shards?: number;
}

const WHOLE_NUMBERS = {
  replicates: [1, 10_000_000],
  seed: [0, 2 ** 32 - 1],
  workers: [1, 1024],
} as const;

const KNOWN = ['condition', 'replicates', 'seed', 'workers', 'failFast', 'strategy'];

/** What Nx itself and the inferred targets put among the options. */
const FROM_NX = new Set([
  '_',
  '__overrides_unparsed__',
  '__overridesUnparsed__',
  'verbose',
  'reads',
  'shard',
  'shards',
]);

/** Checks what the user typed: Nx's own check of a batch ends the process without saying why. */
export function parseRunOptions(
  given: Readonly<Record<string, unknown>>,
): RunExecutorOptions | { problem: string } {
  const raw: Readonly<Record<string, unknown>> = { ...given, ...seedOf(given) };
  const [extra] = Array.isArray(raw._) ? raw._ : [];
  if (extra !== undefined)
    return {
      problem: `Unexpected argument "${String(extra)}": every condition is a target of its own, and options begin with "--".`,
    };
  for (const key of Object.keys(raw)) {
    if (KNOWN.includes(key) || FROM_NX.has(key)) continue;
    const near = nearest(key, KNOWN);
    const hint = near === undefined ? `Known options: ${KNOWN.join(', ')}.` : `Did you mean "--${near}"?`;
    return { problem: `Unknown option "--${key}". ${hint}` };
  }
  for (const [key, [min, max]] of Object.entries(WHOLE_NUMBERS)) {
    const value = raw[key];
    if (value === undefined || (Number.isInteger(value) && Number(value) >= min && Number(value) <= max))
      continue;
    return { problem: `"--${key}=${String(given[key])}" must be a whole number from ${min} to ${max}.` };
  }
  for (const [key, type] of [
    ['condition', 'string'],
    ['failFast', 'boolean'],
  ] as const) {
    const value = raw[key];
    if (value !== undefined && typeof value !== type) {
      return {
        problem: `"--${key}=${String(value)}" must be ${type === 'boolean' ? 'true or false' : 'text'}.`,
      };
    }
  }
  if (raw.strategy !== undefined && raw.strategy !== 'resume' && raw.strategy !== 'rerun') {
    return { problem: `"--strategy=${String(raw.strategy)}" must be resume or rerun.` };
  }
  return raw as RunExecutorOptions;
}

/** Nx would make 0 of `--seed=`, such as of a variable that is not set, if the schema asked for a number. */
function seedOf({ seed }: Readonly<Record<string, unknown>>): { readonly seed?: unknown } {
  return typeof seed === 'string' && seed.trim() !== '' ? { seed: Number(seed) } : {};
}
