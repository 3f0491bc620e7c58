import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { Fingerprints } from '../io/code/fingerprint.ts';
import { stopSignal } from '../nx/stop-signal.ts';
import { openStore } from '../nx/store-options.ts';
import { renderOutcome, TerminalReporter } from '../nx/terminal.ts';
import type { ConditionOutcome } from '../runtime/events.ts';
import { describeFailure } from '../runtime/failures.ts';
import { type PlannedCondition, planConditions } from '../runtime/plan.ts';
import { runPlan } from '../runtime/run/runner.ts';
import { WHOLE } from '../scale/engine.ts';
import type { ElementOutcome } from '../scale/progress.ts';
import type { Submission, SubmittedCondition } from '../scale/submission.ts';
import { SubmissionFolder } from '../scale/submissions-folder.ts';
import { conditionKey } from '../store/components.ts';
import { explainChange, ranges } from '../store/explain.ts';
import { workersOf } from '../workers/create-worker.ts';
import { WorkerPool } from '../workers/pool/worker-pool.ts';
import { readGraph, selectConditions } from './workspace.ts';

/** Told of a condition; its log has all of them. */
const MAX_PROBLEMS = 5;

/**
 * What a job of a submission runs: one element, by the same engine as everything else. It takes the root, the submission,
 * the condition, and the element: `whole`, or the number of a shard.
 */
export async function runElement(args: readonly string[], print: (text: string) => void): Promise<number> {
  const [root = '', id = '', ref = '', element = ''] = args;
  const folder = new SubmissionFolder(root, id);
  const submission = await folder.read();
  const submitted = submission.conditions.find((c) => `${c.experiment}/${c.condition}` === ref);
  if (submitted === undefined || (element !== WHOLE && !(Number(element) <= submitted.shards)))
    throw new SettingsError(`Submission ${id} has no element "${element}" of "${ref}".`);
  process.chdir(root);
  await folder.writeOutcome(submitted, element, undefined);
  try {
    const outcome = await run(submission, submitted, element, print);
    print(`${renderOutcome(outcome)}\n`);
    await folder.writeOutcome(submitted, element, outcomeOf(outcome));
    return outcome.status === 'succeeded' ? 0 : 1;
  } catch (error) {
    const problems = [(error as Error).message];
    await folder.writeOutcome<ElementOutcome>(submitted, element, { status: 'failed', problems });
    throw error;
  }
}

async function run(
  submission: Submission,
  submitted: SubmittedCondition,
  element: string,
  print: (text: string) => void,
): Promise<ConditionOutcome> {
  const { root, store, graph, interpreters } = readGraph(process.cwd());
  const { experiment, condition, shards } = submitted;
  selectConditions(graph, [experiment]);
  if (!conditionsOf(graph, experiment).includes(condition))
    throw new SettingsError(`"${experiment}" has no condition "${condition}" any more.`);
  const shard = element === WHOLE ? undefined : { k: Number(element), n: shards };
  const workers = submission.resources.cpus;
  const [planned] = planConditions(graph, [{ experiment, condition, shard }], {
    ...submission.choices,
    workers,
  });
  if (planned === undefined) throw new Error(`Bug: ${experiment}/${condition} was not planned`);
  const changes = await changesSince(submitted, planned, new Fingerprints(root, interpreters));
  if (changes.length > 0) {
    throw new SettingsError(
      `${experiment}/${condition} is no longer what was submitted (${changes.join(', ')}). Submit it again.`,
    );
  }
  const pool = new WorkerPool(workers, workersOf());
  const reporter = new TerminalReporter((line) => print(`${line}\n`));
  try {
    const [outcome] = await runPlan([planned], {
      root,
      pool,
      interpreters,
      workers,
      signal: stopSignal(),
      failFast: false,
      store: openStore({ ...store, folder: submission.store }),
      strategy: 'resume',
      onEvent: reporter.report,
    });
    if (outcome === undefined) throw new Error(`Bug: ${planned.id} has no outcome`);
    return outcome;
  } finally {
    await pool.close();
  }
}

/** What differs from what was submitted, in a few words each. */
async function changesSince(
  { key, components, seed, replicates }: SubmittedCondition,
  planned: PlannedCondition,
  fingerprints: Fingerprints,
): Promise<string[]> {
  const now = await fingerprints.components(planned);
  const differ = (what: string, before: number, after: number): string[] =>
    before === after ? [] : [`${what} ${before} -> ${after}`];
  return [
    ...differ('seed', seed, planned.seed),
    ...differ('replicates', replicates, planned.replicates),
    ...(key === conditionKey(now) ? [] : explainChange(components, now)),
  ];
}

function outcomeOf({ status, failures }: ConditionOutcome): ElementOutcome {
  const byText = new Map<string, number[]>();
  for (const { replicate, failure } of failures) {
    const text = describeFailure(failure);
    byText.set(text, [...(byText.get(text) ?? []), ...(replicate === undefined ? [] : [replicate])]);
  }
  const problems = [...byText].map(([text, of]) => (of.length > 0 ? `${ranges(of)}: ${text}` : text));
  const more = problems.length - MAX_PROBLEMS;
  const told = more > 0 ? [...problems.slice(0, MAX_PROBLEMS), `… and ${more} more problems`] : problems;
  switch (status) {
    case 'succeeded':
      return { status, problems: [] };
    case 'failed':
      return { status, problems: told };
    default:
      return { status: 'stopped', problems: ['it was asked to stop'] };
  }
}
