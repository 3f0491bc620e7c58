import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suggestion } from '../../base/names.ts';
import { SettingsError } from '../../base/settings-error.ts';
import { experimentOf } from '../../graph/graph.ts';
import { commitOf, git } from '../../io/git.ts';
import { RESULTS } from '../../runtime/plan.ts';
import { readGraph } from '../workspace.ts';
import { isReport, isResults, readResults, readSummary } from './read-results.ts';
import { type Base, type RevisionRequest, readRevision } from './revision.ts';

/** @throws SettingsError when there is no such base, or it has no results */
export async function readBase(
  cwd: string,
  given: string | undefined,
  defaultBase: string,
  request: Omit<RevisionRequest, 'commit' | 'text'>,
): Promise<Base> {
  const { root, experiment } = request;
  if (given === undefined) {
    const commit = await branchPoint(root, defaultBase);
    return readRevision({ ...request, commit, text: `${short(commit)}, where it left ${defaultBase}` });
  }
  const path = resolve(cwd, given);
  if (given !== '' && existsSync(path)) {
    const { summary, text } = readPath(path, given, experiment);
    return { summary, text, notes: [] };
  }
  const commit = await commitOf(root, given);
  if (commit === undefined)
    throw new SettingsError(
      `--base: "${given}" is no file, no folder and no git revision. Give a branch, a tag, a commit, a results folder or a summary.json.`,
    );
  const text = commit.startsWith(given) ? short(commit) : `${given} (${short(commit)})`;
  return readRevision({ ...request, commit, text });
}

/** On the branch itself it is its last commit. */
async function branchPoint(root: string, defaultBase: string): Promise<string> {
  for (const name of [defaultBase, `origin/${defaultBase}`]) {
    if ((await commitOf(root, name)) !== undefined) return git(root, ['merge-base', name, 'HEAD']);
  }
  throw new SettingsError(
    `There is no git revision "${defaultBase}" to compare with. Give one by --base: a branch, a tag, a commit, a folder or a summary.json.`,
  );
}

function short(commit: string): string {
  return commit.slice(0, 8);
}

function readPath(path: string, given: string, experiment: string): Omit<Base, 'notes'> {
  if (statSync(path).isFile()) return { summary: readSummary(path), text: `the file ${given}` };
  if (isReport(path))
    return { summary: readSummary(join(path, 'summary.json')), text: `the report ${given}` };
  for (const results of [path, join(path, RESULTS)]) {
    const summary =
      existsSync(results) && isResults(results) ? readResults(results, { experiment }) : undefined;
    if (summary !== undefined) return { summary, text: `the folder ${given}` };
  }
  if (!existsSync(join(path, 'nx.json')))
    throw new SettingsError(
      `--base: the folder "${given}" has no results: neither a summary.json, nor conditions with a metrics.json, nor an nx.json of another checkout.`,
    );
  const { graph } = readGraph(path);
  if (!graph.experiments.has(experiment))
    throw new SettingsError(
      `--base: "${given}" has no experiment "${experiment}". ${suggestion(experiment, [...graph.order].sort(), 'experiments')}`,
    );
  const summary = readResults(join(path, experimentOf(graph, experiment).config.folder, RESULTS), {
    experiment,
  });
  if (summary === undefined)
    throw new SettingsError(`--base: "${experiment}" has no results in "${given}". Run it there first.`);
  return { summary, text: `the checkout ${given}` };
}
