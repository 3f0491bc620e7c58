import type { ConditionRef } from '../runtime/plan.ts';
import { type ElementState, type Engine, type EngineElement, WHOLE } from './engine.ts';
import { isHandedOver, type Submission, type SubmittedCondition, type SubmittedJob } from './submission.ts';
import type { SubmissionFolder } from './submissions-folder.ts';

/** What an element leaves when it ends by itself. */
export interface ElementOutcome {
  readonly status: 'succeeded' | 'failed' | 'stopped';
  /** Why it did not succeed, one problem each. */
  readonly problems: readonly string[];
}

/** `unknown`: the engine does not answer, and nothing was left. */
export type ProgressState = ElementState | 'unknown';

export interface ElementProgress {
  readonly job: string;
  readonly element: string;
  readonly state: ProgressState;
  /** In a few words each. */
  readonly details: readonly string[];
  readonly host: string;
}

export interface ConditionProgress extends ConditionRef {
  readonly state: ProgressState;
  /** Those of the array first; the last one puts the results in place, unless the submission was stopped before. */
  readonly elements: readonly ElementProgress[];
}

const ENDED: readonly ProgressState[] = ['succeeded', 'failed', 'cancelled', 'skipped'];

export function isActive(state: ProgressState): boolean {
  return !ENDED.includes(state);
}

/**
 * How far a submission is: by its engine, by what the engine has said before, and by what elements have left.
 *
 * @param engine undefined when it does not answer
 */
export async function observe(
  folder: SubmissionFolder,
  submission: Submission,
  engine: Engine | undefined,
): Promise<ConditionProgress[]> {
  const jobs = submission.conditions.flatMap((condition) => condition.jobs);
  const known = new Map((await seenBefore(folder)).map((element) => [keyOf(element), element]));
  const told = engine === undefined || jobs.length === 0 ? [] : await engine.poll(jobs);
  for (const element of told) known.set(keyOf(element), element);
  const ended = [...known.values()].filter(({ state }) => !isActive(state));
  if (told.some(({ state }) => !isActive(state))) await folder.writeSeen(ended).catch(() => {}); // or a reader without rights
  const states = new Map<string, ProgressState>();
  const all: ConditionProgress[] = [];
  for (const condition of submission.conditions) {
    const elements: ElementProgress[] = [];
    for (const job of condition.jobs) {
      const own: ElementProgress[] = [];
      for (const element of elementsOf(job)) {
        const blocked = job.after.some((id) => !['succeeded', undefined].includes(states.get(id)));
        const lost = engine === undefined ? 'unknown' : blocked ? 'skipped' : 'failed';
        const outcome = parseOutcome(await folder.readOutcome(condition, element));
        own.push(progressOf(job, element, known.get(`${job.id} ${element}`), outcome, lost));
      }
      states.set(job.id, stateOf(own));
      elements.push(...own);
    }
    all.push({
      experiment: condition.experiment,
      condition: condition.condition,
      state: stateOfCondition(condition, elements),
      elements,
    });
  }
  return all;
}

function progressOf(
  { id: job }: SubmittedJob,
  element: string,
  told: EngineElement | undefined,
  outcome: ElementOutcome | undefined,
  lost: ProgressState,
): ElementProgress {
  if (told !== undefined) {
    const { state, detail, host } = told;
    const left = isActive(state) || state === 'skipped' ? [] : (outcome?.problems ?? []);
    const silent = state === 'failed' && detail === '' && left.length === 0;
    const details = [
      ...(detail === '' ? [] : [detail]),
      ...(silent ? ['it ended before it could say why'] : left),
    ];
    return { job, element, state, details, host };
  }
  switch (outcome?.status) {
    case undefined: {
      const details =
        lost === 'failed' ? ['it is gone: the engine does not know it, and it left nothing'] : [];
      return { job, element, state: lost, details, host: '' };
    }
    case 'stopped':
      return { job, element, state: 'cancelled', details: outcome?.problems ?? [], host: '' };
    default:
      return { job, element, state: outcome?.status ?? 'failed', details: outcome?.problems ?? [], host: '' };
  }
}

/** Of several elements the one that decides what comes next. */
function stateOf(elements: readonly ElementProgress[]): ProgressState {
  const order: ProgressState[] = ['running', 'pending', 'unknown', 'failed', 'cancelled', 'skipped'];
  return order.find((state) => elements.some((element) => element.state === state)) ?? 'succeeded';
}

function stateOfCondition(
  condition: SubmittedCondition,
  elements: readonly ElementProgress[],
): ProgressState {
  const state = stateOf(elements);
  // The submission was stopped before it came to this: nobody puts it in place.
  if (!isHandedOver(condition)) return state === 'succeeded' ? 'skipped' : state;
  return elements.at(-1)?.state === 'succeeded' ? 'succeeded' : state;
}

function elementsOf({ elements }: SubmittedJob): string[] {
  return elements === undefined ? [WHOLE] : elements.map(String);
}

async function seenBefore(folder: SubmissionFolder): Promise<EngineElement[]> {
  const seen = await folder.readSeen();
  return Array.isArray(seen) ? seen.filter(isEngineElement) : [];
}

function isEngineElement(value: unknown): value is EngineElement {
  const element = value as Partial<Record<keyof EngineElement, unknown>> | null;
  return (
    typeof element === 'object' &&
    [element?.job, element?.element, element?.detail, element?.host].every((v) => typeof v === 'string') &&
    ENDED.some((state) => state === element?.state)
  );
}

function parseOutcome(value: unknown): ElementOutcome | undefined {
  const { status, problems } = (value ?? {}) as Partial<Record<keyof ElementOutcome, unknown>>;
  if (status !== 'succeeded' && status !== 'failed' && status !== 'stopped') return undefined;
  return { status, problems: Array.isArray(problems) ? problems.map(String) : [] };
}

function keyOf({ job, element }: EngineElement): string {
  return `${job} ${element}`;
}
