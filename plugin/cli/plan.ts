import { availableParallelism } from 'node:os';
import { formatDuration } from '../base/duration.ts';
import { openStore } from '../nx/store-options.ts';
import { planConditions } from '../runtime/plan.ts';
import { type ConditionPreview, previewPlan } from '../runtime/run/preview.ts';
import { type Command, toJson } from './command.ts';
import { choicesOf } from './run-choices.ts';
import { readGraph, selectConditions } from './workspace.ts';

/** `nx-experiments plan`: what a run would do, and why. */
export const run: Command['run'] = async ({ cwd, names: experiments, options, json }, print) => {
  const { root, store, graph, interpreters } = readGraph(cwd);
  const { treatments, ...overrides } = choicesOf(options);
  const plan = planConditions(graph, selectConditions(graph, experiments, treatments), overrides);
  const previews = await previewPlan(plan, root, openStore(store), availableParallelism(), interpreters);
  print(json ? toJson(previews.map(previewData)) : renderPlan(previews));
  return 0;
};

function previewData({ planned, status, reused, toRun, reasons, expectedMs }: ConditionPreview) {
  const { experiment, condition, replicates } = planned;
  return {
    experiment,
    condition,
    replicates,
    status,
    reused,
    toRun,
    reasons,
    expectedMs: expectedMs ?? null,
  };
}

function renderPlan(previews: readonly ConditionPreview[]): string {
  if (previews.length === 0)
    return 'There are no experiments: add one with "nx g nx-experiments:experiment <name>", or a folder with a config.yaml below "experiments".\n';
  const width = Math.max(...previews.map(({ planned }) => planned.id.length));
  const lines = previews.map(({ planned, status, reused, toRun, reasons, expectedMs }) => {
    const time = toRun > 0 && expectedMs !== undefined ? `, about ${formatDuration(expectedMs)}` : '';
    const why = reasons.length > 0 ? ` (${reasons.join(', ')})` : '';
    const what = toRun > 0 ? `${reused > 0 ? `${reused} reused, ` : ''}${toRun} to run${why}${time}` : status;
    return `${planned.id.padEnd(width)}  ${planned.replicates} replicate${planned.replicates === 1 ? '' : 's'}, ${what}`;
  });
  const total = previews.reduce((sum, { toRun }) => sum + toRun, 0);
  const known = previews.reduce((sum, { expectedMs }) => sum + (expectedMs ?? 0), 0);
  const time = known > 0 ? `, about ${formatDuration(known)} from what is known` : '';
  lines.push('', total === 0 ? 'Nothing to run.' : `${total} replicates to run${time}.`);
  return `${lines.join('\n')}\n`;
}
