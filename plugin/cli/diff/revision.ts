import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { resolveOrigins } from '../../api/origin.ts';
import { runGraph } from '../../api/run-graph.ts';
import { suggestion } from '../../base/names.ts';
import { SettingsError } from '../../base/settings-error.ts';
import { experimentOf } from '../../graph/graph.ts';
import { git } from '../../io/git.ts';
import { writeRevision } from '../../io/revision-tree.ts';
import { stopSignal } from '../../nx/stop-signal.ts';
import { openStore, type StoreOptions } from '../../nx/store-options.ts';
import { TerminalReporter } from '../../nx/terminal.ts';
import type { Summary } from '../../report/diff/parse-summary.ts';
import { planConditions, RESULTS } from '../../runtime/plan.ts';
import { previewPlan } from '../../runtime/run/preview.ts';
import { readGraph, selectConditions } from '../workspace.ts';
import { isResults, readResults } from './read-results.ts';

/** What an experiment is compared with. */
export interface Base {
  readonly summary: Summary;
  /** In words. */
  readonly text: string;
  readonly notes: readonly string[];
}

export interface RevisionRequest {
  readonly root: string;
  readonly experiment: string;
  readonly commit: string;
  /** The revision as it is told. */
  readonly text: string;
  readonly store: StoreOptions;
  /** Whether what the run store lacks may run. */
  readonly mayRun: boolean;
  readonly tell: (line: string) => void;
}

const LOCKS = ['package-lock.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'uv.lock', 'requirements.txt'];

/** The results of an experiment at a commit: those that are committed, else from the run store, else from a run. */
export async function readRevision(request: RevisionRequest): Promise<Base> {
  const { root, experiment, commit, text } = request;
  const tree = await writeRevision(root, commit);
  try {
    const { graph } = readGraphAt(tree.root, text);
    if (!graph.experiments.has(experiment)) {
      const hint = suggestion(experiment, [...graph.order].sort(), 'experiments');
      throw new SettingsError(
        `There is no experiment "${experiment}" at ${text}: it is new, or had another name. ${hint}`,
      );
    }
    const results = join(tree.root, experimentOf(graph, experiment).config.folder, RESULTS);
    const committed =
      existsSync(results) && isResults(results) ? readResults(results, { experiment }) : undefined;
    if (committed !== undefined)
      return { summary: committed, text: `${text}, results as committed`, notes: [] };
    await runAt(tree.root, request);
    const summary = readResults(results, { experiment });
    if (summary === undefined) throw new SettingsError(`"${experiment}" came to no results at ${text}.`);
    return { summary, text, notes: await installedNotes(root, commit) };
  } finally {
    tree.remove();
  }
}

function readGraphAt(tree: string, text: string): ReturnType<typeof readGraph> {
  try {
    return readGraph(tree);
  } catch (error) {
    if (error instanceof SettingsError)
      throw new SettingsError(`The experiments at ${text} cannot be read:\n${error.message}`);
    throw error;
  }
}

async function runAt(tree: string, request: RevisionRequest): Promise<void> {
  const { root, experiment, text, store, mayRun, tell } = request;
  const { graph, interpreters } = readGraph(tree);
  const plan = planConditions(graph, selectConditions(graph, [experiment]));
  const opened = openStore(store);
  const previews = await previewPlan(plan, tree, opened, availableParallelism(), interpreters, root);
  const toRun = previews.reduce((sum, one) => sum + one.toRun, 0);
  const reused = previews.reduce((sum, one) => sum + one.reused, 0);
  const told = previews
    .filter((one) => one.toRun > 0)
    .map(
      ({ planned, toRun: count, reasons }) =>
        `  ${planned.id}: ${count} (${reasons.join(', ') || 'no results'})`,
    );
  tell(`${text}: ${reused} replicates from the run store, ${toRun} to run`);
  if (toRun > 0 && !mayRun)
    throw new SettingsError(`Not in the run store, and --no-run was given:\n${told.join('\n')}`);
  const signal = stopSignal();
  const reporter = new TerminalReporter((line) => tell(`${text} | ${line}`));
  const ran = await runGraph(
    { ...resolveOrigins([{ type: 'folder', name: experiment, root: tree, graph }]), installedAt: root },
    { store: store.folder ?? false, signal, onEvent: toRun > 0 ? reporter.report : () => {} },
  );
  if (signal.aborted) throw new SettingsError('Stopped.');
  const result = ran.get(experiment);
  const [problem] = [...ran.values()].flatMap(({ errors }) => errors);
  if (problem !== undefined) tell(`${text} | ${problem.message}`);
  if (result === undefined)
    throw new SettingsError(
      `"${experiment}" did not run at ${text}: ${problem?.message ?? 'nothing finished'}`,
    );
}

/** What is installed is lent to the revision: it may have asked for other versions. */
async function installedNotes(root: string, commit: string): Promise<string[]> {
  const changed = await git(root, ['diff', '--name-only', '--relative', commit, '--', ...LOCKS]);
  if (changed === '') return [];
  return [
    `${changed.split('\n').join(', ')} changed since the base: it ran with the packages that are installed now.`,
  ];
}
