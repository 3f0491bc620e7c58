import { sha256 } from '../base/digest.ts';
import { isObject } from '../base/json.ts';
import type { ConditionRef } from './plan.ts';

/** Metrics of one replicate: every value that was recorded under a name, in order. */
export type Metrics = Readonly<Record<string, readonly number[]>>;

export interface ArtifactRecord {
  /** Path inside the replicate's folder. */
  readonly fileName: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ReplicateRecord {
  readonly replicate: number;
  readonly seed: number;
  readonly metrics: Metrics;
  /** By output alias. */
  readonly artifacts: Readonly<Record<string, ArtifactRecord>>;
}

/** What one condition produced: the contents of metrics.json. No times, no hosts, no absolute paths. */
export interface ConditionManifest extends ConditionRef {
  readonly replicates: readonly ReplicateRecord[];
  /** Replicates that failed, and the reason of each. */
  readonly failed: readonly { readonly replicate: number; readonly seed: number; readonly reason: string }[];
}

const VERSION = 1;

/** File beside metrics.json for who reads artifacts of replicates that the config does not have. */
export const FURTHER_ARTIFACTS = 'further-artifacts.json';

/** Text of metrics.json: one replicate a line, in order. Not-a-number and infinities become strings. */
export function encodeManifest(manifest: ConditionManifest): string {
  const { experiment, condition } = manifest;
  const replicates = [...manifest.replicates].sort((a, b) => a.replicate - b.replicate);
  const failed = [...manifest.failed].sort((a, b) => a.replicate - b.replicate);
  const body = [
    `{"version":${VERSION},"experiment":${JSON.stringify(experiment)},"condition":${JSON.stringify(condition)},`,
    `"replicates":[${lines(replicates.map(({ replicate, seed, metrics, artifacts }) => stringifyWithMetrics({ replicate, seed, metrics, artifacts }, metrics)))}],`,
    `"failed":[${lines(failed.map(({ replicate, seed, reason }) => JSON.stringify({ replicate, seed, reason })))}],`,
    '',
  ].join('\n');
  return `${body}${seal(body)}`;
}

/**
 * Text of further-artifacts.json. Nx knows beforehand which replicates a config has, and names their artifacts as inputs of what reads
 * them; those of more, which were asked for on the command line, it notices by this file.
 *
 * @param declared how many replicates the config has
 * @returns undefined when there are no more
 */
export function furtherArtifacts({ replicates }: ConditionManifest, declared: number): string | undefined {
  const further = replicates
    .filter(({ replicate, artifacts }) => replicate >= declared && Object.keys(artifacts).length > 0)
    .sort((a, b) => a.replicate - b.replicate)
    .map(({ replicate, artifacts }) => `"replicate_${replicate}":${JSON.stringify(artifacts)}`);
  return further.length === 0 ? undefined : `{${lines(further)}}\n`;
}

/** The last line of metrics.json: a digest of all before it, so that a changed digit is noticed. */
function seal(body: string): string {
  return `"sha256":"${sha256(body)}"}\n`;
}

/** Reads metrics.json; undefined when it is not one that `encodeManifest` has written, or was changed since. */
export function parseManifest(text: string): ConditionManifest | undefined {
  const body = text.slice(0, text.lastIndexOf('"sha256":'));
  if (text !== `${body}${seal(body)}`) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value.version !== VERSION) return undefined;
  const { experiment, condition, replicates, failed } = value;
  if (typeof experiment !== 'string' || typeof condition !== 'string') return undefined;
  if (!Array.isArray(replicates) || !Array.isArray(failed)) return undefined;
  const records = replicates.map(parseReplicate);
  const failures = failed.map(parseFailed);
  return records.every((r) => r !== undefined) && failures.every((f) => f !== undefined)
    ? { experiment, condition, replicates: records, failed: failures }
    : undefined;
}

function parseReplicate(value: unknown): ReplicateRecord | undefined {
  if (!isObject(value) || !isIndex(value.replicate) || !isIndex(value.seed)) return undefined;
  const metrics = parseMetrics(value.metrics);
  if (metrics === undefined || !isObject(value.artifacts)) return undefined;
  const artifacts: [string, ArtifactRecord][] = [];
  for (const [alias, artifact] of Object.entries(value.artifacts)) {
    if (!isObject(artifact) || typeof artifact.fileName !== 'string') return undefined;
    if (!isIndex(artifact.bytes) || typeof artifact.sha256 !== 'string') return undefined;
    artifacts.push([alias, { fileName: artifact.fileName, bytes: artifact.bytes, sha256: artifact.sha256 }]);
  }
  return { replicate: value.replicate, seed: value.seed, metrics, artifacts: Object.fromEntries(artifacts) };
}

/** Metrics as they stand in JSON, with the spelled-out numbers read back. */
export function parseMetrics(value: unknown): Metrics | undefined {
  if (!isObject(value)) return undefined;
  if (isPlain(value)) return value;
  const metrics: [string, number[]][] = [];
  for (const [name, recorded] of Object.entries(value)) {
    if (!Array.isArray(recorded)) return undefined;
    const numbers = recorded.map(parseNumber);
    if (!numbers.every((n) => n !== undefined)) return undefined;
    metrics.push([name, numbers]);
  }
  return Object.fromEntries(metrics);
}

/** Whether nothing has to be read back: true of nearly all metrics. */
function isPlain(value: Record<string, unknown>): value is Record<string, number[]> {
  for (const name of Object.keys(value)) {
    const recorded = value[name];
    if (!Array.isArray(recorded)) return false;
    for (const number of recorded) if (typeof number !== 'number') return false;
  }
  return true;
}

function parseFailed(value: unknown): ConditionManifest['failed'][number] | undefined {
  if (!isObject(value) || !isIndex(value.replicate) || !isIndex(value.seed)) return undefined;
  if (typeof value.reason !== 'string') return undefined;
  return { replicate: value.replicate, seed: value.seed, reason: value.reason };
}

/** JSON of a value that holds these metrics. JSON has no NaN and no infinities: they are spelled. */
export function stringifyWithMetrics(value: object, metrics: Metrics): string {
  for (const name of Object.keys(metrics)) {
    // A replacer makes all of JSON.stringify slow.
    if (!metrics[name]?.every(Number.isFinite)) return JSON.stringify(value, spellNonFinite);
  }
  return JSON.stringify(value);
}

/** For `JSON.stringify`: not-a-number and infinities as text, so that other languages can read them. */
export function spellNonFinite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function parseNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined;
}

function lines(items: readonly string[]): string {
  return items.length === 0 ? '' : `\n${items.join(',\n')}\n`;
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
