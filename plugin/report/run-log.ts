/** What the log of a condition, run.jsonl, tells of the run that put its results in place. */
export interface RunLog {
  /** ISO 8601, in UTC. */
  readonly startedAt: string | undefined;
  /** Milliseconds. */
  readonly ms: number | undefined;
  /** Replicates that were taken from the run store. */
  readonly reused: number;
  /** Of this package, Node, Python, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Operating system and processor, such as `linux-x64`. */
  readonly platform: string | undefined;
  /** Of the checkout in which the condition ran. */
  readonly commit: string | undefined;
  /** Whether the checkout held changes that were not committed; undefined when that is not known. */
  readonly dirty: boolean | undefined;
  /** Digests of the experiment's own files of code, by path relative to the workspace; empty without a run store. */
  readonly code: Readonly<Record<string, string>>;
  /** Digest of all the code that it depended on and of the versions of its packages. */
  readonly dependencies: string | undefined;
  /** Replicates that failed for good. */
  readonly failures: readonly LoggedFailure[];
}

export interface LoggedFailure {
  readonly replicate: number;
  readonly message: string;
  /** The frames of the user's own code, one a line; empty when there are none. */
  readonly stack: string;
}

const LONGEST = 10_000;

/**
 * Reads run.jsonl. What is damaged is left out: a log decides nothing. The log of a condition that was put together from shards
 * has the entries of each of them.
 */
export function parseRunLog(text: string): RunLog {
  const conditions: Record<string, unknown>[] = [];
  const origins: Record<string, unknown>[] = [];
  const failures = new Map<number, LoggedFailure>();
  for (const line of text.split('\n')) {
    // Most lines are of replicates and of what steps print.
    if (!/^\{"type":"(?:condition|provenance|failure)"/.test(line)) continue;
    const entry = parseEntry(line);
    if (entry?.type === 'condition') conditions.push(entry);
    if (entry?.type === 'provenance') origins.push(entry);
    if (entry?.type === 'failure' && entry.retrying === false && typeof entry.replicate === 'number') {
      const { replicate } = entry;
      failures.set(replicate, {
        replicate,
        message: textOf(entry.message) ?? '',
        stack: textOf(entry.stack) ?? '',
      });
    }
  }
  return {
    ...timeOf(conditions),
    reused: conditions.reduce((sum, { reused }) => sum + (countOf(reused) ?? 0), 0),
    versions: Object.assign({}, ...origins.map(({ versions }) => textsOf(versions))),
    platform: common(origins.map(({ platform }) => textOf(platform))),
    commit: common(origins.map(({ commit }) => commitOf(commit))),
    dirty: dirtyOf(origins),
    code: Object.assign({}, ...origins.map(({ code }) => textsOf(code))),
    dependencies: common(origins.map(({ dependencies }) => textOf(dependencies))),
    failures: [...failures.values()].sort((a, b) => a.replicate - b.replicate),
  };
}

/** From the first beginning to the last end. */
function timeOf(conditions: readonly Record<string, unknown>[]): Pick<RunLog, 'startedAt' | 'ms'> {
  const spans = conditions.flatMap(({ startedAt, ms }) => {
    const [at, long] = [dateOf(startedAt), countOf(ms)];
    return at === undefined
      ? []
      : [{ at, start: Date.parse(at), end: Date.parse(at) + (long ?? Number.NaN) }];
  });
  const [first] = [...spans].sort((a, b) => a.start - b.start);
  if (first === undefined) return { startedAt: undefined, ms: undefined };
  const ms = Math.max(...spans.map(({ end }) => end)) - first.start;
  return { startedAt: first.at, ms: Number.isNaN(ms) ? undefined : ms };
}

/** What all agree on; undefined where shards differ. */
function common(values: readonly (string | undefined)[]): string | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

function dirtyOf(origins: readonly Record<string, unknown>[]): boolean | undefined {
  const known = origins.map(({ dirty }) => dirty);
  if (known.includes(true)) return true;
  return known.length > 0 && known.every((dirty) => dirty === false) ? false : undefined;
}

function parseEntry(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, LONGEST) : undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : undefined;
}

function dateOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)
    ? value
    : undefined;
}

function commitOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[0-9a-f]{40,64}$/.test(value) ? value : undefined;
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
