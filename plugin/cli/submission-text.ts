import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../base/diagnostics.ts';
import { count } from '../report/numbers.ts';
import { WHOLE } from '../scale/engine.ts';
import {
  type ConditionProgress,
  type ElementProgress,
  isActive,
  type ProgressState,
} from '../scale/progress.ts';
import { quote } from '../scale/shell-words.ts';
import type { EarlierCondition, Submission } from '../scale/submission.ts';
import type { SubmissionFolder } from '../scale/submissions-folder.ts';
import type { Part } from '../scale/submit.ts';
import type { Observed } from './submissions.ts';

/** Failed elements that are shown of a condition. */
const MAX_FAILED = 3;
const TAIL_LINES = 10;
/** Hosts, or reasons to wait. */
const MAX_NOTES = 4;

const WORDS: Readonly<Record<ProgressState, string>> = {
  pending: 'waiting',
  running: 'running',
  succeeded: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
  unknown: 'unknown',
};

/** Conditions that earlier submissions still run: the job that puts each in place. */
export interface Running {
  readonly jobs: ReadonlyMap<string, string>;
  readonly conditions: readonly EarlierCondition[];
}

export function earlierSubmissions({ conditions }: Running): string[] {
  return [...new Set(conditions.map(({ submission }) => submission))];
}

/** What `submit` has done. */
export function renderSubmitted(
  submission: Submission | undefined,
  parts: readonly Part[],
  kept: number,
  running: Running,
): string {
  const notes = [
    ...(kept > 0 ? [`${count(kept, 'condition')} ${kept === 1 ? 'has its' : 'have their'} results.`] : []),
    ...(running.jobs.size > 0
      ? [
          `${count(running.jobs.size, 'condition')} still with submission ${earlierSubmissions(running).join(', ')}.`,
        ]
      : []),
  ];
  if (submission === undefined) return `${['Nothing to submit.', ...notes].join(' ')}\n`;
  const width = Math.max(...parts.map(({ planned }) => planned.id.length));
  const lines = submission.conditions.map(({ jobs }, i) => {
    const { planned, elements } = parts[i] as Part;
    const [first, last] = [jobs[0], jobs.at(-1)];
    const spread = elements.length > 0 ? ` in ${elements.length} elements` : '';
    const what = `${count(planned.replicates, 'replicate')}${spread}`;
    const ids = jobs.length > 1 ? `job ${first?.id}, then ${last?.id}` : `job ${last?.id}`;
    const after = (first?.after.length ?? 0) > 0 ? `, after ${first?.after.join(', ')}` : '';
    return `  ${planned.id.padEnd(width)}  ${what}: ${ids}${after}`;
  });
  const total = submission.conditions.reduce((sum, { jobs }) => sum + jobs.length, 0);
  return `${[
    `Submission ${submission.id} to ${submission.engine}: ${count(total, 'job')}`,
    ...lines,
    ...notes,
    `See nx-experiments status ${submission.id}, and then nx-experiments collect ${submission.id}.`,
  ].join('\n')}\n`;
}

/** How far a submission is, with what it left to earlier ones. */
export function renderProgress(all: readonly [Observed, ...Observed[]]): string {
  const [{ submission }] = all;
  const progress = all.flatMap((observed) => observed.progress);
  const width = Math.max(0, ...progress.map(idOf).map((id) => id.length));
  const lines = all.flatMap((observed) =>
    observed.progress.flatMap((condition) => [
      `  ${idOf(condition).padEnd(width)}  ${whereOf(observed, submission)}${summaryOf(condition)}`,
      ...renderFailed(observed.folder, condition),
    ]),
  );
  const ended = !progress.some(({ state }) => isActive(state));
  const next = ended ? `See nx-experiments collect ${submission.id}.\n` : '';
  return `Submission ${submission.id} to ${submission.engine}: ${tally(
    progress.map(({ state }) => state),
    'condition',
  )}\n${lines.join('\n')}\n${next}`;
}

/** Of what a submission left to an earlier one. */
export function whereOf({ submission: { id } }: Observed, own: Submission): string {
  return id === own.id ? '' : `in submission ${id}: `;
}

/** `3 of 5 conditions done, 1 running, 1 waiting`. */
export function tally(states: readonly ProgressState[], noun: string): string {
  const of = (state: ProgressState): number => states.filter((other) => other === state).length;
  const others = (['running', 'pending', 'failed', 'cancelled', 'skipped', 'unknown'] as const)
    .filter((state) => of(state) > 0)
    .map((state) => `${of(state)} ${WORDS[state]}`);
  return [`${of('succeeded')} of ${count(states.length, noun)} done`, ...others].join(', ');
}

/** Why a condition did not succeed, with the end of each log. */
export async function renderFailures(
  folder: SubmissionFolder,
  condition: ConditionProgress,
): Promise<string[]> {
  const tails = new Map<string, string[]>();
  for (const { element } of failedElements(condition).slice(0, MAX_FAILED))
    tails.set(element, await folder.tail(condition, element, TAIL_LINES));
  return renderFailed(folder, condition, tails);
}

/** @param tails the end of logs, by element */
function renderFailed(
  folder: SubmissionFolder,
  condition: ConditionProgress,
  tails: ReadonlyMap<string, readonly string[]> = new Map(),
): string[] {
  const failed = failedElements(condition);
  const more = failed.length - MAX_FAILED;
  return [
    ...failed
      .slice(0, MAX_FAILED)
      .flatMap((element) => [
        ...failedLines(folder, condition, element),
        ...(tails.get(element.element) ?? []).map((line) => `      | ${printable(line)}`),
      ]),
    ...(more > 0 ? [`    … and ${more} more ${more === 1 ? 'element' : 'elements'}`] : []),
  ];
}

/** What was typed to submit, to be typed again. */
export function submitCommand({ engine, resources, shards, choices, experiments }: Submission): string {
  const { partition, time, memory, cpus, account, extra } = resources;
  const options = Object.entries({
    partition,
    time,
    mem: memory,
    cpus: cpus > 1 ? `${cpus}` : undefined,
    account,
    shards: shards?.toString(),
    replicates: choices.replicates?.toString(),
    seed: choices.seed?.toString(),
    treatment: choices.treatments?.join(','),
  });
  return [
    `nx-experiments submit --engine ${engine}`,
    ...options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${quote(value)}`])),
    ...(extra.length > 0 ? [`--sbatch=${quote(extra.map(quote).join(' '))}`] : []),
    ...experiments,
  ].join(' ');
}

function summaryOf({ state, elements }: ConditionProgress): string {
  const array = elements.filter(({ element }) => element !== WHOLE);
  if (elements.length === 0) return 'was not handed over';
  if (state === 'succeeded') return 'done';
  const states = array.map((element) => element.state);
  const spread = array.length > 0 ? tally(states, 'element') : WORDS[state];
  const together = array.length > 0 && states.every((each) => each === 'succeeded');
  const isWhole = array.length < elements.length;
  const whole = isWhole ? `putting together: ${WORDS[state]}` : 'putting together was not handed over';
  const what = together || !isWhole ? `${spread}, ${whole}` : spread;
  const deciding = elements.filter((element) => element.state === state);
  // Where it runs, or what the engine says it waits for.
  const notes =
    state === 'running'
      ? deciding.map(({ host }) => host).sort()
      : state === 'pending'
        ? deciding.flatMap(({ details }) => details)
        : [];
  const shown = [...new Set(notes)].filter((note) => note !== '').slice(0, MAX_NOTES);
  return shown.length > 0 ? `${what} (${shown.join(', ')})` : what;
}

function failedElements({ elements }: ConditionProgress): ElementProgress[] {
  return elements.filter(({ state }) => state === 'failed' || state === 'cancelled');
}

function failedLines(
  folder: SubmissionFolder,
  condition: ConditionProgress,
  { job, element, state, details, host }: ElementProgress,
): string[] {
  const name = element === WHOLE ? `job ${job}` : `element ${element}, job ${job}_${element}`;
  const why = details.map((detail) => detail.split('\n').map(printable).join('\n      ')).join('; ');
  const on = host === '' ? '' : ` on ${host}`;
  const log = folder.logOf(condition, element);
  return [
    `    ${name} ${WORDS[state]}${on}${why === '' ? '' : `: ${why}`}`,
    // An element that never started has none.
    ...(existsSync(join(folder.root, log)) ? [`      ${log}`] : []),
  ];
}

function idOf({ experiment, condition }: ConditionProgress): string {
  return `${experiment}/${condition}`;
}
