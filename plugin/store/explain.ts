import { compareText } from '../base/diagnostics.ts';
import { canonicalJson, type Json, type JsonObject } from '../base/json.ts';
import type { KeyComponents } from './components.ts';

/** What is remembered of the last run of a condition, to say what has changed since. */
export interface ConditionHistory {
  readonly components: KeyComponents;
  readonly seed: number;
  readonly replicates: number;
  readonly failed: readonly number[];
  /** By reference `experiment#output`: how many artifacts were read, and one digest over them. */
  readonly upstream: Readonly<Record<string, { readonly count: number; readonly digest: string }>>;
  /** The key of the run and the digest of its metrics.json, when that was complete. */
  readonly published: { readonly key: string; readonly sha256: string } | undefined;
  /** Mean time of a replicate, in milliseconds. */
  readonly msPerReplicate: number | undefined;
}

/** What a condition is about to do. */
export interface Intention {
  readonly components: KeyComponents;
  readonly seed: number;
  /** By reference: the digest over the first `count` artifacts that are read. */
  readonly upstreamDigest: (reference: string, count: number) => string | undefined;
  /** Files that nobody declared, that stored replicates have read, and that are not what they were. */
  readonly changedReads: readonly string[];
  /** Replicates that are not reused, ascending. */
  readonly toRun: readonly number[];
}

type Floats = NonNullable<KeyComponents['floats']>;

const MAX_REASONS = 4;

/** Why replicates run, in a few words each; empty when nothing runs. */
export function explain(before: ConditionHistory | undefined, now: Intention): string[] {
  if (now.toRun.length === 0) return [];
  if (before === undefined) return ['not run before'];
  const changes = changesOf(before, now);
  if (changes.length > 0) return shorten(changes);
  const reasons: string[] = [];
  const added = now.toRun.filter((replicate) => replicate >= before.replicates);
  const failed = now.toRun.filter((replicate) => before.failed.includes(replicate));
  const lost = now.toRun.filter(
    (replicate) => replicate < before.replicates && !before.failed.includes(replicate),
  );
  if (added.length > 0) reasons.push(`new ${ranges(added)}`);
  if (failed.length > 0) reasons.push(`${ranges(failed)} not finished before`);
  if (lost.length > 0) reasons.push(`${ranges(lost)} not in the store`);
  return reasons;
}

/** Whether all that runs is what failed the last time, and nothing has changed since. */
export function onlyFailed(before: ConditionHistory | undefined, now: Intention): boolean {
  if (before === undefined || changesOf(before, now).length > 0) return false;
  return now.toRun.length > 0 && now.toRun.every((replicate) => before.failed.includes(replicate));
}

/** What differs between two states of one condition, in a few words each. */
export function explainChange(before: KeyComponents, now: KeyComponents): string[] {
  const same = { seed: 0, upstream: {}, toRun: [], changedReads: [], upstreamDigest: () => undefined };
  return shorten(changesOf({ ...same, components: before }, { ...same, components: now }));
}

function changesOf(
  before: Pick<ConditionHistory, 'components' | 'seed' | 'upstream'>,
  now: Intention,
): string[] {
  const [a, b] = [before.components, now.components];
  const seed = before.seed === now.seed ? [] : [`seed ${before.seed} -> ${now.seed}`];
  const changes = [
    ...valueChanges(a.context, b.context, ''),
    ...seed,
    ...callChanges(a, b),
    ...fileChanges(a.code, b.code, b.folder),
    ...fileChanges(a.loaders, b.loaders, b.folder),
    ...valueChanges(a.packages, b.packages, ''),
    ...fileChanges(a.files, b.files, b.folder),
    ...names(a.env, b.env).map((name) => `${name} changed`),
    ...Object.entries(before.upstream)
      .filter(([reference, { count, digest }]) => (now.upstreamDigest(reference, count) ?? digest) !== digest)
      .map(([reference]) => `${reference} changed`),
    ...now.changedReads.map((path) => `${shortPath(path, b.folder)} changed`),
    ...(a.engine === b.engine ? [] : [`nx-experiments ${a.engine} -> ${b.engine}`]),
    ...(a.interpreter === b.interpreter ? [] : [`${a.interpreter} -> ${b.interpreter}`]),
  ];
  if (changes.length === 0) changes.push(...floatChanges(a.floats ?? [], b.floats ?? []));
  // One file may be code, belong to a loader and be declared as an input.
  return [...new Set(changes)];
}

function callChanges(a: KeyComponents, b: KeyComponents): string[] {
  const changes: string[] = [];
  const stepNames = (components: KeyComponents): string =>
    components.steps.map((step) => step.name).join(', ');
  if (stepNames(a) !== stepNames(b)) changes.push('steps changed');
  else
    b.steps.forEach((step, i) => {
      changes.push(...valueChanges(a.steps[i]?.args ?? {}, step.args, `${step.name}.`));
    });
  const before = new Map(a.sources.map((source) => [source.alias, source]));
  for (const source of b.sources) {
    const old = before.get(source.alias);
    if (old === undefined || !same(old as unknown as Json, source as unknown as Json))
      changes.push(`datasource ${source.alias} changed`);
  }
  if (a.sources.length > b.sources.length) changes.push('datasource changed');
  if (!same(a.outputs as unknown as Json, b.outputs as unknown as Json)) changes.push('outputs changed');
  return changes;
}

function fileChanges(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
  folder: string,
): string[] {
  return names(a, b).map((path) => {
    const what = !Object.hasOwn(a, path) ? 'added' : !Object.hasOwn(b, path) ? 'removed' : 'changed';
    return `${shortPath(path, folder)} ${what}`;
  });
}

function shortPath(path: string, folder: string): string {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}

function valueChanges(a: JsonObject, b: JsonObject, prefix: string): string[] {
  return names(a, b).map((name) => `${prefix}${name} ${render(a[name])} -> ${render(b[name])}`);
}

/** Of values that are the same but for that. */
function floatChanges(a: Floats, b: Floats): string[] {
  const written = (floats: Floats): Map<string, string> =>
    new Map(floats.map((path) => [JSON.stringify(path), String(path.at(-1))]));
  const [before, now] = [written(a), written(b)];
  return [
    ...[...now]
      .filter(([path]) => !before.has(path))
      .map(([, name]) => `${name} is a fraction now, as in 1.0`),
    ...[...before].filter(([path]) => !now.has(path)).map(([, name]) => `${name} is a whole number now`),
  ];
}

function render(value: Json | undefined): string {
  if (value === undefined) return '(none)';
  const text = typeof value === 'string' ? value : canonicalJson(value);
  return text.length > 30 ? `${text.slice(0, 29)}…` : text;
}

/** Keys whose values differ, sorted. */
function names(a: Readonly<Record<string, Json>>, b: Readonly<Record<string, Json>>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter(
      (name) => Object.hasOwn(a, name) !== Object.hasOwn(b, name) || !same(a[name] ?? null, b[name] ?? null),
    )
    .sort(compareText);
}

function same(a: Json, b: Json): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function shorten(reasons: readonly string[]): string[] {
  const more = reasons.length - MAX_REASONS;
  return more > 0 ? [...reasons.slice(0, MAX_REASONS), `${more} more`] : [...reasons];
}

/** `replicate 3`, `replicates 10-19`, `replicates 0-2, 8`; at most five spans. */
export function ranges(sorted: readonly number[]): string {
  const parts = spans(sorted);
  const shown = parts.slice(0, 5).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return `replicate${sorted.length === 1 ? '' : 's'} ${shown.join(', ')}${parts.length > 5 ? ', …' : ''}`;
}

/** Runs of consecutive numbers, each as its first and last. */
export function spans(sorted: readonly number[]): [first: number, last: number][] {
  const parts: [number, number][] = [];
  for (const n of sorted) {
    const last = parts.at(-1);
    if (last !== undefined && n === last[1] + 1) last[1] = n;
    else parts.push([n, n]);
  }
  return parts;
}
