import { isObject } from '../base/json.ts';
import { isLegalName } from '../base/names.ts';
import type { ConditionRef, RunChoices } from '../runtime/plan.ts';
import type { KeyComponents } from '../store/components.ts';
import type { Resources } from './engine.ts';

export const ENGINES = ['slurm', 'local'] as const;
export type EngineName = (typeof ENGINES)[number];

export interface SubmittedJob {
  readonly id: string;
  readonly name: string;
  /** Undefined: it runs the whole condition, and puts its results in place. */
  readonly elements: readonly number[] | undefined;
  readonly after: readonly string[];
}

/** One condition of a submission, as it was then. */
export interface SubmittedCondition extends ConditionRef {
  readonly replicates: number;
  readonly seed: number;
  /** Digest of what its replicates depended on: a job that finds something else does not run. */
  readonly key: string;
  /** What that was, to say what has changed. */
  readonly components: KeyComponents;
  /** In how many parts it is divided; elements of its array are counted from 1 to this. */
  readonly shards: number;
  /** The array of its parts, if it has one, and then the job that puts them together. */
  readonly jobs: readonly SubmittedJob[];
}

/** A condition that an earlier submission still ran when this one was handed over. */
export interface EarlierCondition extends ConditionRef {
  readonly submission: string;
}

/** Whether it has all of its jobs: a submit that was killed leaves some conditions with none, and one perhaps with half of them. */
export function isHandedOver({ jobs }: Pick<SubmittedCondition, 'jobs'>): boolean {
  const last = jobs.at(-1);
  return last !== undefined && last.elements === undefined;
}

/** What was handed to an engine at one time. */
export interface Submission {
  readonly id: string;
  readonly engine: EngineName;
  /** Those that were asked for; what they read is implied. */
  readonly experiments: readonly string[];
  /** What was asked for of them, and not what their configs say. */
  readonly choices: RunChoices;
  readonly resources: Resources;
  /** Into how many elements conditions were to be divided at most, when that was asked for. */
  readonly shards?: number | undefined;
  /** Absolute path of the run store. */
  readonly store: string;
  /** Upstream before downstream. Conditions that had their results, or were with an earlier submission, are not here. */
  readonly conditions: readonly SubmittedCondition[];
  /** Conditions that were left to earlier submissions. */
  readonly earlier?: readonly EarlierCondition[] | undefined;
}

const VERSION = 1;

/** Text of submission.json, in which no job stands yet. */
export function encodeSubmission(submission: Submission): string {
  const conditions = submission.conditions.map(({ jobs: _, ...condition }) => condition);
  return `${JSON.stringify({ version: VERSION, ...submission, conditions }, null, 1)}\n`;
}

/** One line of jobs.jsonl. */
export function encodeJob({ experiment, condition }: ConditionRef, job: SubmittedJob): string {
  return `${JSON.stringify({ experiment, condition, ...job })}\n`;
}

/**
 * Reads what `encodeSubmission` and `encodeJob` wrote; undefined for anything else.
 *
 * @param lines content of jobs.jsonl
 */
export function parseSubmission(text: string, lines: string): Submission | undefined {
  const jobs = parseLines(lines);
  const head = parseHead(text);
  if (head === undefined || jobs === undefined) return undefined;
  const conditions = head.conditions.map((condition) => ({
    ...condition,
    jobs: jobs.flatMap(({ experiment, condition: of, ...job }) =>
      experiment === condition.experiment && of === condition.condition ? [job] : [],
    ),
  }));
  return { ...head, conditions };
}

function parseLines(lines: string): (ConditionRef & SubmittedJob)[] | undefined {
  try {
    const jobs = lines.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    return jobs.every(isJob) ? jobs : undefined;
  } catch {
    return undefined;
  }
}

function parseHead(text: string): Submission | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value.version !== VERSION) return undefined;
  const { version: _, ...submission } = value;
  const {
    id,
    engine,
    experiments,
    choices,
    resources,
    shards = 1,
    store,
    conditions,
    earlier = [],
  } = submission;
  const known = ENGINES.some((name) => name === engine);
  if (typeof id !== 'string' || typeof store !== 'string' || !known || !isObject(resources)) return undefined;
  if (!Array.isArray(experiments) || !experiments.every((name) => typeof name === 'string')) return undefined;
  if (!isChoices(choices) || !Number.isSafeInteger(shards)) return undefined;
  if (!Array.isArray(conditions) || !conditions.every(isCondition)) return undefined;
  if (!Array.isArray(earlier) || !earlier.every(isEarlier)) return undefined;
  return submission as unknown as Submission;
}

function isChoices(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { treatments = [], replicates = 1, seed = 0 } = value;
  const named = Array.isArray(treatments) && treatments.every((name) => typeof name === 'string');
  return named && [replicates, seed].every(Number.isSafeInteger);
}

function isCondition(value: unknown): boolean {
  if (!isObject(value) || !isObject(value.components) || typeof value.key !== 'string') return false;
  // Their names become paths.
  if (![value.experiment, value.condition].every((name) => typeof name === 'string' && isLegalName(name)))
    return false;
  return [value.replicates, value.seed, value.shards].every(Number.isSafeInteger);
}

function isEarlier(value: unknown): boolean {
  if (!isObject(value)) return false;
  return [value.submission, value.experiment, value.condition].every((name) => typeof name === 'string');
}

function isJob(value: unknown): boolean {
  if (!isObject(value) || typeof value.id !== 'string' || typeof value.name !== 'string') return false;
  const elements = value.elements ?? [];
  return Array.isArray(elements) && elements.every(Number.isSafeInteger) && Array.isArray(value.after);
}
