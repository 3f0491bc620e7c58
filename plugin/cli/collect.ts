import { setTimeout as sleep } from 'node:timers/promises';
import { resolveOrigins } from '../api/origin.ts';
import type { Result } from '../api/result.ts';
import { runGraph } from '../api/run-graph.ts';
import { printable } from '../base/diagnostics.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { stopSignal } from '../nx/stop-signal.ts';
import { openStore } from '../nx/store-options.ts';
import { problemsOf, renderProblem } from '../report/problems.ts';
import { renderTable } from '../report/table.ts';
import { conditionId, planConditions } from '../runtime/plan.ts';
import { type ConditionPreview, previewPlan } from '../runtime/run/preview.ts';
import type { ConditionProgress, ProgressState } from '../scale/progress.ts';
import { isHandedOver, type Submission } from '../scale/submission.ts';
import { conditionKey } from '../store/components.ts';
import { type Command, toJson } from './command.ts';
import { dataOf } from './run.ts';
import { renderFailures, submitCommand, tally, whereOf } from './submission-text.ts';
import { type Observed, observeWithEarlier, openSubmission } from './submissions.ts';
import { readGraph, selectConditions } from './workspace.ts';

const STOPPED = 130;
const WAIT_MS = 2000;

/** A submission, and what it left to earlier ones. */
type All = readonly [Observed, ...Observed[]];

/**
 * `nx-experiments collect`: what a submission came to. What lies in place is compared with what the configs and the code
 * say now; what is not that is told, and never shown as a result.
 */
export const run: Command['run'] = async ({ cwd, names, options, json }, print) => {
  const opened = await openSubmission('collect', cwd, names);
  const signal = stopSignal();
  let all = await observeWithEarlier(opened);
  let told = '';
  while (options.wait === true && (stillRuns(all) || (isUnknown(all) && all[0].silence?.passes))) {
    const now = all[0].silence?.message ?? tallyOf(all);
    if (now !== told) process.stderr.write(`${now}\n`);
    told = now;
    await sleep(WAIT_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) {
      process.stderr.write('Stopped waiting. The jobs go on.\n');
      return STOPPED;
    }
    all = await observeWithEarlier(opened);
  }
  const [{ submission, silence }] = all;
  if (silence !== undefined && silence.message !== told) process.stderr.write(`${silence.message}\n`);
  if (stillRuns(all)) {
    if (json) print(toJson({ submission: submission.id, status: 'running', problems: [], results: {} }));
    else
      print(
        `Submission ${submission.id} has not ended: ${tallyOf(all)}.\nSee nx-experiments status ${submission.id}, or wait with nx-experiments collect ${submission.id} --wait.\n`,
      );
    return 1;
  }
  return conclude(cwd, all, json, print);
};

async function conclude(
  cwd: string,
  all: All,
  json: boolean,
  print: Parameters<Command['run']>[1],
): Promise<number> {
  const [own] = all;
  const { submission } = own;
  const { root, store, graph, interpreters } = readGraph(cwd);
  const { treatments, ...overrides } = submission.choices;
  const wanted = selectConditions(graph, submission.experiments, treatments);
  const plan = planConditions(graph, wanted, overrides);
  const previews = await previewPlan(
    plan,
    root,
    openStore({ ...store, folder: submission.store }),
    submission.resources.cpus,
    interpreters,
  );
  const missing = previews.filter(({ status }) => status === 'to-run');
  if (missing.some(({ planned }) => stateOf(planned.id, all) === 'unknown')) {
    if (json) print(toJson({ submission: submission.id, status: 'unknown', problems: [], results: {} }));
    else print(renderUnknown(all));
    return 1;
  }
  const lacking = new Set(missing.map(({ planned }) => planned.experiment));
  // Downstream of what is missing is missing as well, so that each of these has all that it reads.
  const whole = graph.order.filter(
    (name) => plan.some(({ experiment }) => experiment === name) && !lacking.has(name),
  );
  const tables = new Map<string, string>();
  const results = await compare(whole, root, graph, submission, (name, text) => {
    tables.set(name, `${tables.get(name) ?? ''}${text}`);
  });
  const problems = missing.map((preview) =>
    problemOf(preview, holderOf(preview.planned.id, all), submission),
  );
  const failed = problems.length > 0 || [...results.values()].some(({ status }) => status !== 'succeeded');
  if (json) {
    const data = Object.fromEntries([...results].map(([name, result]) => [name, dataOf(result)]));
    const told = missing.map(({ planned: { experiment, condition } }, i) => ({
      experiment,
      condition,
      problem: problems[i],
    }));
    print(
      toJson({
        submission: submission.id,
        status: failed ? 'failed' : 'succeeded',
        problems: told,
        results: data,
      }),
    );
    return failed ? 1 : 0;
  }
  for (const name of whole) print(tables.get(name) ?? '');
  if (missing.length === 0) return failed ? 1 : 0;
  const lines = [`Not there: ${missing.length} of ${plan.length} conditions.`];
  for (const [i, { planned }] of missing.entries()) {
    lines.push(`  ${planned.id}: ${printable(problems[i] ?? '')}`);
    const { folder, progress } = holderOf(planned.id, all);
    const condition = progress.find((one) => conditionId(one) === planned.id);
    if (condition !== undefined) lines.push(...(await renderFailures(folder, condition)));
  }
  lines.push(`When that is mended: ${submitCommand(submission)}`);
  print(`${lines.join('\n')}\n`);
  return 1;
}

/** The same as a run in which nothing has to run. */
async function compare(
  names: readonly string[],
  root: string,
  graph: Parameters<typeof planConditions>[0],
  { store, choices }: Submission,
  print: (experiment: string, text: string) => void,
): Promise<Map<string, Result>> {
  if (names.length === 0) return new Map();
  const known = new Set(names.flatMap((name) => conditionsOf(graph, name)));
  const treatments = choices.treatments?.filter((treatment) => known.has(treatment));
  const experiments = resolveOrigins(names.map((name) => ({ type: 'folder', name, root, graph })));
  return runGraph(
    experiments,
    { ...choices, ...(treatments && { treatments }), store, signal: stopSignal() },
    {
      onCondition: () => {},
      onResult: ({ experiment, errors }, model) => {
        if (model !== undefined) print(experiment, `${renderTable(model)}\n`);
        const problems = model === undefined ? [] : problemsOf(model);
        const told = problems.length > 0 ? problems : errors.slice(-1).map(({ message }) => message);
        for (const problem of told) print(experiment, renderProblem(experiment, problem));
      },
    },
  );
}

function problemOf(preview: ConditionPreview, holder: Observed, own: Submission): string {
  return `${whereOf(holder, own)}${causeOf(preview, holder)}`;
}

function causeOf({ planned, toRun, components, reasons }: ConditionPreview, holder: Observed): string {
  const { submission } = holder;
  const submitted = submission.conditions.find((condition) => conditionId(condition) === planned.id);
  const came = stateOf(planned.id, [holder]);
  const why = reasons.length > 0 ? ` (${reasons.join(', ')})` : '';
  if (submitted === undefined) return `was not part of submission ${submission.id}${why}`;
  const same =
    components !== undefined &&
    conditionKey(components) === submitted.key &&
    submitted.seed === planned.seed &&
    submitted.replicates === planned.replicates;
  if (!same) return `is no longer what was submitted${why}`;
  if (!isHandedOver(submitted) && came === 'skipped')
    return 'was not handed over: the submit was stopped before it came to this';
  if (came === 'skipped') return `skipped, because what it reads did not succeed`;
  const lacks = `${toRun} of ${planned.replicates} replicates are missing`;
  if (came !== 'succeeded') return `${came ?? 'failed'}, ${lacks}`;
  // They were run: only the store can have lost them.
  return `done, but ${lacks}. The run store ${submission.store} may be too small for them: set "storeSize" in nx.json above the size of all artifacts`;
}

/** The submission that had a condition: this one, unless it left that to an earlier one. */
function holderOf(id: string, all: All): Observed {
  return all.find(({ progress }) => progress.some((condition) => conditionId(condition) === id)) ?? all[0];
}

function tallyOf(all: readonly Observed[]): string {
  return tally(
    progressOf(all).map(({ state }) => state),
    'condition',
  );
}

function stateOf(id: string, all: readonly Observed[]): ProgressState | undefined {
  return progressOf(all).find((condition) => conditionId(condition) === id)?.state;
}

function progressOf(all: readonly Observed[]): ConditionProgress[] {
  return all.flatMap(({ progress }) => progress);
}

function renderUnknown(all: All): string {
  const { id, engine } = all[0].submission;
  return `Submission ${id}: ${engine} does not answer. As far as is known: ${tallyOf(all)}.\nSee nx-experiments status ${id} when it answers again, or wait with nx-experiments collect ${id} --wait.\n`;
}

function isUnknown(all: readonly Observed[]): boolean {
  return progressOf(all).some(({ state }) => state === 'unknown');
}

function stillRuns(all: readonly Observed[]): boolean {
  return progressOf(all).some(({ elements }) =>
    elements.some(({ state }) => state === 'pending' || state === 'running'),
  );
}
