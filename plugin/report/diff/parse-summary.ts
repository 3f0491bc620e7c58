import { canonicalJson, type Json } from '../../base/json.ts';
import { SUMMARY_VERSION } from '../summary.ts';

/** One metric under one condition, as a summary.json tells of it. */
export interface SummaryMetric {
  readonly metric: string;
  readonly condition: string;
  readonly n: number;
  readonly missing: number;
  readonly mean: number;
  readonly sd: number;
  /** By replicate, undefined where there is none; files of version 1 do not have them. */
  readonly values: readonly (number | undefined)[] | undefined;
}

export interface SummaryCondition {
  readonly condition: string;
  readonly finished: number;
  readonly failed: number;
  /** By replicate; files of version 1 do not have them. */
  readonly seeds: readonly number[] | undefined;
  /** Of metrics.json. */
  readonly digest: string | undefined;
  /** Values by name, as JSON; undefined when the file does not tell. */
  readonly parameters: ReadonlyMap<string, string> | undefined;
  readonly datasource: ReadonlyMap<string, string> | undefined;
}

export interface SummaryVerdict {
  readonly hypothesis: string;
  readonly condition: string;
  readonly metrics: readonly string[];
  readonly better: 'higher' | 'lower' | undefined;
  /** Undefined when the verifier failed or does not say. */
  readonly significant: boolean | undefined;
}

/** What is read back of a summary.json. */
export interface Summary {
  readonly version: number;
  readonly experiment: string;
  readonly conditions: readonly SummaryCondition[];
  readonly metrics: readonly SummaryMetric[];
  readonly verdicts: readonly SummaryVerdict[];
}

export type ParsedSummary =
  | { readonly ok: true; readonly value: Summary }
  | { readonly ok: false; readonly problem: string };

/** Reads a summary.json that anybody may have written. A problem names its place, such as `metrics[3].mean`. */
export function parseSummary(text: string): ParsedSummary {
  try {
    return { ok: true, value: summaryOf(new Place('', parseJson(text))) };
  } catch (error) {
    if (error instanceof Misfit) return { ok: false, problem: error.message };
    if (error instanceof RangeError) return { ok: false, problem: 'it is nested too deep' };
    throw error;
  }
}

class Misfit extends Error {}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Misfit(`it is no JSON: ${(error as Error).message}`);
  }
}

function summaryOf(root: Place): Summary {
  const version = root.at('version').count();
  if (version < 1 || version > SUMMARY_VERSION)
    throw new Misfit(
      `"version" is ${version}; this version of nx-experiments reads 1 to ${SUMMARY_VERSION}. Update nx-experiments`,
    );
  const conditions = root.at('conditions').items().map(conditionOf);
  const metrics = root.at('metrics').items().map(metricOf);
  unique('conditions', conditions, ({ condition }) => condition);
  unique('metrics', metrics, ({ condition, metric }) => JSON.stringify([condition, metric]));
  return {
    version,
    experiment: root.at('experiment').text(),
    conditions,
    metrics,
    verdicts: root.at('hypotheses').items().map(verdictOf),
  };
}

function conditionOf(place: Place): SummaryCondition {
  return {
    condition: place.at('condition').text(),
    finished: place.at('finished').count(),
    failed: place.at('failed').count(),
    seeds: place.at('seeds').maybe((seeds) => seeds.items().map((seed) => seed.count())),
    digest: place.at('digest').maybe((digest) => digest.text()),
    parameters: place.at('parameters').maybe((all) => all.entries((value) => value.json())),
    datasource: place.at('datasource').maybe((all) => all.entries((value) => value.text())),
  };
}

function metricOf(place: Place): SummaryMetric {
  return {
    metric: place.at('metric').text(),
    condition: place.at('condition').text(),
    n: place.at('n').count(),
    missing: place.at('missing').maybe((missing) => missing.count()) ?? 0,
    mean: place.at('mean').number(),
    sd: place.at('sd').number(),
    values: place.at('values').maybe((values) => values.items().map((value) => value.numberOrNull())),
  };
}

function verdictOf(place: Place): SummaryVerdict {
  const better = place.at('better').maybe((side) => side.text());
  if (better !== undefined && better !== 'higher' && better !== 'lower')
    throw place.at('better').misfit('"higher" or "lower"');
  const significant = place.at('result').maybe((result) => result.at('significant').value);
  return {
    hypothesis: place.at('hypothesis').text(),
    condition: place.at('condition').text(),
    metrics: place
      .at('metrics')
      .items()
      .map((metric) => metric.text()),
    better,
    significant: typeof significant === 'boolean' ? significant : undefined,
  };
}

function unique<T>(list: string, items: readonly T[], key: (item: T) => string): void {
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    if (seen.has(key(item))) throw new Misfit(`"${list}[${i}]" stands there twice`);
    seen.add(key(item));
  }
}

/** A value and where it stands. */
class Place {
  constructor(
    private readonly path: string,
    readonly value: unknown,
  ) {}

  at(key: string): Place {
    const inside = this.object();
    // What an object inherits is not in the file.
    const value = Object.hasOwn(inside, key) ? inside[key] : undefined;
    return new Place(this.path === '' ? key : `${this.path}.${key}`, value);
  }

  items(): Place[] {
    if (!Array.isArray(this.value)) throw this.misfit('a list');
    return this.value.map((item, i) => new Place(`${this.path}[${i}]`, item));
  }

  entries(read: (value: Place) => string): ReadonlyMap<string, string> {
    return new Map(Object.keys(this.object()).map((key) => [key, read(this.at(key))]));
  }

  maybe<T>(read: (place: Place) => T): T | undefined {
    return this.value === undefined ? undefined : read(this);
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.misfit('text');
    return this.value;
  }

  count(): number {
    if (!Number.isSafeInteger(this.value) || (this.value as number) < 0)
      throw this.misfit('a whole number from 0');
    return this.value as number;
  }

  number(): number {
    if (typeof this.value === 'number') return this.value;
    if (this.value === 'NaN' || this.value === 'Infinity' || this.value === '-Infinity')
      return Number(this.value);
    throw this.misfit('a number');
  }

  numberOrNull(): number | undefined {
    return this.value === null ? undefined : this.number();
  }

  json(): string {
    return canonicalJson(this.value as Json);
  }

  misfit(expected: string): Misfit {
    const where = this.path === '' ? 'the file' : `"${this.path}"`;
    if (this.value === undefined) return new Misfit(`${where} is missing`);
    return new Misfit(`${where} must be ${expected}`);
  }

  private object(): Record<string, unknown> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      throw this.misfit('an object');
    return this.value as Record<string, unknown>;
  }
}
