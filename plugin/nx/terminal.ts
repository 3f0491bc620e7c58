import { printable } from '../base/diagnostics.ts';
import { formatDuration } from '../base/duration.ts';
import { count } from '../report/numbers.ts';
import type { ConditionOutcome, RunEvent } from '../runtime/events.ts';
import { describeFailure, type RunFailure, stackOf } from '../runtime/failures.ts';
import { type PlannedCondition, placeOf, replicatesOf } from '../runtime/plan.ts';
import { parseShard } from '../runtime/shards.ts';
import { ranges } from '../store/explain.ts';

const PROGRESS_EVERY_MS = 2000;
/** A condition that is done before this shows no progress lines. */
const QUIET_MS = 1000;
const MAX_LOG_LINES = 50;
const MAX_FAILURES = 10;

interface Progress {
  /** Replicates that are run or reused here. */
  readonly all: number;
  /** When the first replicate was done, and how many were: before it, they may have waited for a worker. */
  first: { readonly at: number; readonly done: number } | undefined;
  shownAt: number;
  finished: number;
  failed: number;
  logged: number;
}

/** Turns events of a run into plain lines, at a rate that a person can read. */
export class TerminalReporter {
  private readonly running = new Map<string, Progress>();

  /** @param print takes one line without its end */
  constructor(
    private readonly print: (line: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  readonly report = (event: RunEvent): void => {
    switch (event.type) {
      case 'stopping':
        this.print(event.kept ? 'Stopping. What has finished is kept: run again to go on.' : 'Stopping.');
        return;
      case 'condition-started': {
        const at = this.now();
        const { id } = event.planned;
        const replicates = replicatesOf(event.planned).length;
        const reused = event.reused ?? 0;
        this.running.set(id, {
          all: replicates,
          first: undefined,
          shownAt: at + QUIET_MS - PROGRESS_EVERY_MS,
          finished: reused,
          failed: 0,
          logged: 0,
        });
        this.print(
          `${titleOf(id)}: ${count(replicates, 'replicate')}${renderReuse(replicates, event.reused, event.reasons)}`,
        );
        return;
      }
      case 'warning':
        this.print(`${titleOf(event.planned.id)}: ${printable(event.text)}`);
        return;
      case 'replicate-finished':
        this.advance(event.planned, (progress) => progress.finished++);
        return;
      case 'replicate-failed':
        if (event.retrying)
          this.print(
            `${titleOf(event.planned.id)}[${event.replicate}]: ${printable(inOneLine(describeFailure(event.failure)))}; trying again`,
          );
        else this.advance(event.planned, (progress) => progress.failed++);
        return;
      case 'log':
        this.log(event.planned, event.replicate, event.text);
        return;
      case 'condition-finished':
        this.running.delete(event.outcome.planned.id);
        return; // its task's own output says what it came to
    }
  };

  private advance(planned: PlannedCondition, change: (progress: Progress) => void): void {
    const progress = this.running.get(planned.id);
    if (progress === undefined) return;
    change(progress);
    const at = this.now();
    const done = progress.finished + progress.failed;
    const { all } = progress;
    progress.first ??= { at, done };
    if (at - progress.shownAt < PROGRESS_EVERY_MS || done === all) return;
    progress.shownAt = at;
    const { first } = progress;
    const failed = progress.failed > 0 ? `, ${progress.failed} failed` : '';
    const left = ((at - first.at) / (done - first.done)) * (all - done);
    const time = done > first.done ? `, about ${formatDuration(left)} left` : '';
    this.print(`${titleOf(planned.id)}: ${done}/${all}${failed}${time}`);
  }

  private log(planned: PlannedCondition, replicate: number | undefined, text: string): void {
    const progress = this.running.get(planned.id);
    if (progress === undefined || progress.logged > MAX_LOG_LINES) return;
    progress.logged++;
    const title = titleOf(planned.id);
    const where = replicate === undefined ? title : `${title}[${replicate}]`;
    if (progress.logged <= MAX_LOG_LINES) this.print(`${where} | ${printable(text)}`);
    else this.print(`${title}: further output is in ${resultsFile(planned, 'run.jsonl')}`);
  }
}

/** The last words of a process are many lines, and messages of errors may be. */
function inOneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

/** `, 10 reused, 2 to run (new replicates 10-11)`; nothing when there is no store. */
function renderReuse(replicates: number, reused: number | undefined, reasons: readonly string[]): string {
  if (reused === undefined) return '';
  const toRun = replicates - reused;
  const why = reasons.length > 0 ? ` (${printable(reasons.join(', '))})` : '';
  return [reused > 0 ? `, ${reused} reused` : '', toRun > 0 ? `, ${toRun} to run${why}` : ''].join('');
}

/** What a condition came to, with its failures: the terminal output of its task. */
export function renderOutcome(outcome: ConditionOutcome): string {
  return [outcomeLine(outcome), ...renderFailures(outcome)].join('\n');
}

function outcomeLine({
  planned,
  status,
  failures,
  blockedBy,
  reused,
  startedAt,
  endedAt,
}: ConditionOutcome): string {
  const took = formatDuration(endedAt - startedAt);
  const title = titleOf(planned.id);
  const replicates = count(replicatesOf(planned).length, 'replicate');
  switch (status) {
    case 'succeeded':
      return planned.merges === undefined
        ? `${title}: ${replicates} done in ${took}${reused > 0 ? `, ${reused} reused` : ''}`
        : `${title}: ${replicates} put together from ${count(planned.merges, 'shard')} in ${took}`;
    case 'failed': {
      const whole = failures.some(({ replicate }) => replicate === undefined);
      return whole ? `${title}: failed` : `${title}: ${failures.length} of ${replicates} failed, ${took}`;
    }
    case 'skipped':
      return `${title}: skipped, because ${titleOf(blockedBy ?? '')} did not succeed`;
    case 'aborted':
      return `${title}: stopped`;
  }
}

/** Failures that read the same are told once, with all their replicates. */
function renderFailures({ planned, failures }: ConditionOutcome): string[] {
  const groups = new Map<string, { failure: RunFailure; replicates: number[] }>();
  for (const { replicate, failure } of failures) {
    const key = `${replicate === undefined} ${describeFailure(failure)}\n${stackOf(failure)}`;
    const group = groups.get(key) ?? { failure, replicates: [] };
    if (replicate !== undefined) group.replicates.push(replicate);
    groups.set(key, group);
  }
  const shown = [...groups.values()].slice(0, MAX_FAILURES);
  const lines = shown.flatMap(({ failure, replicates }) => renderFailure(planned, replicates, failure));
  const more = groups.size - shown.length;
  return more > 0
    ? [...lines, `  … and ${more} more, listed in ${resultsFile(planned, 'metrics.json')}`]
    : lines;
}

function renderFailure(
  { id, folder, configFile }: PlannedCondition,
  replicates: readonly number[],
  failure: RunFailure,
): string[] {
  const where = replicates.length === 0 ? titleOf(id) : `${titleOf(id)}, ${ranges(replicates)}`;
  const text = describeFailure(failure).split('\n').map(printable).join('\n    ');
  const stack = stackOf(failure)
    .split('\n')
    .filter((line) => line !== '');
  const place = ['module-missing', 'function-missing', 'format-missing'].includes(failure.reason)
    ? [`    named in ${configFile}`]
    : [];
  return [
    `  ${where}: ${text}`,
    ...stack.map((line) => `    ${printable(line)}`),
    ...place,
    ...(stack.length === 0 && place.length === 0 ? [`    in ${folder}`] : []),
  ];
}

/** `experiment/condition shard 2 of 4` for the id `experiment/condition/2of4`; other ids are titles. */
function titleOf(id: string): string {
  const [experiment, condition, part = ''] = id.split('/');
  const shard = parseShard(part);
  return shard === undefined ? id : `${experiment}/${condition} shard ${shard.k} of ${shard.n}`;
}

function resultsFile(planned: PlannedCondition, name: string): string {
  const place = placeOf(planned);
  return `${place.folder}/${place.name}/${name}`;
}
