import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { experimentOf } from '../graph/graph.ts';
import { openStore } from '../nx/store-options.ts';
import { renderDiffJson } from '../report/diff/json.ts';
import { renderDiffMarkdown } from '../report/diff/markdown.ts';
import { type DiffModel, diffSummaries } from '../report/diff/model.ts';
import type { Summary } from '../report/diff/parse-summary.ts';
import { renderDiffTable } from '../report/diff/table.ts';
import { MAX_WIDTH } from '../report/text-grid.ts';
import { factsOf } from '../runtime/compare/dossier.ts';
import { planConditions, RESULTS } from '../runtime/plan.ts';
import { previewPlan } from '../runtime/run/preview.ts';
import { type Arguments, type Command, columnsToFill, listOf, textOf } from './command.ts';
import { readBase } from './diff/base.ts';
import { readResults } from './diff/read-results.ts';
import { staleNotes, UNKNOWN_AGE } from './stale-notes.ts';
import { openWorkspace, readGraph, selectConditions } from './workspace.ts';

const FORMATS = {
  table: renderDiffTable,
  json: renderDiffJson,
  markdown: renderDiffMarkdown,
} as const satisfies Readonly<Record<string, (model: DiffModel, width: number) => string>>;

type Format = keyof typeof FORMATS;
const BY_EXTENSION: Readonly<Record<string, Format>> = {
  '.json': 'json',
  '.md': 'markdown',
  '.txt': 'table',
};
const STOPPED = 130;

/** `nx-experiments diff`: the results in place against earlier ones. */
export const run: Command['run'] = async ({ cwd, names, options, json }, print) => {
  const [experiment, ...more] = names;
  if (experiment === undefined || more.length > 0)
    throw new SettingsError('"diff" takes one experiment: nx-experiments diff <experiment> --base <base>.');
  const output = textOf(options.output);
  const render = FORMATS[formatOf(options, json, output)];
  const failOn = textOf(options['fail-on']);
  if (failOn !== undefined && failOn !== 'worse')
    throw new SettingsError(`"--fail-on ${failOn}" is not known: the only choice is "worse".`);
  const now = await readCurrent(cwd, experiment);
  const { root, nxJson, store } = openWorkspace(cwd);
  const base = await readBase(cwd, textOf(options.base), nxJson.defaultBase ?? 'main', {
    root,
    experiment,
    store,
    mayRun: options['no-run'] !== true,
    tell: (line) => process.stderr.write(`${line}\n`),
  }).catch((error: unknown) => {
    if (process.exitCode === STOPPED) return undefined;
    throw error;
  });
  if (base === undefined) return STOPPED;
  const [conditions, metrics] = [listOf(options.condition), listOf(options.metric)];
  const both = [now.summary, base.summary];
  checkKnown(
    conditions,
    'condition',
    both.flatMap((side) => side.conditions.map((one) => one.condition)),
  );
  checkKnown(
    metrics,
    'metric',
    both.flatMap((side) => side.metrics.map((one) => one.metric)),
  );
  const notes = [...now.notes, ...base.notes];
  const model = diffSummaries(base.summary, now.summary, { base: base.text, notes, conditions, metrics });
  const text = render(model, output === undefined ? columnsToFill() : MAX_WIDTH);
  if (output === undefined) print(text);
  else {
    writeFileSync(resolve(cwd, output), text);
    print(`${output}\n`);
  }
  return failOn === 'worse' && model.rows.some(({ word }) => word === 'worse') ? 1 : 0;
};

function formatOf(options: Arguments['options'], json: boolean, output: string | undefined): Format {
  const given = textOf(options.format);
  if (given === undefined) return json ? 'json' : (BY_EXTENSION[extname(output ?? '')] ?? 'table');
  if (Object.hasOwn(FORMATS, given)) return given as Format;
  throw new SettingsError(`Unknown format "${given}". ${suggestion(given, Object.keys(FORMATS), 'formats')}`);
}

function checkKnown(given: readonly string[] | undefined, what: string, known: readonly string[]): void {
  for (const name of given ?? []) {
    if (known.includes(name)) continue;
    throw new SettingsError(
      `There is no ${what} "${name}" on either side. ${suggestion(name, [...new Set(known)], `${what}s`)}`,
    );
  }
}

/** The results in place, and what there is to say of them: they may not be those of the code as it is. */
async function readCurrent(
  cwd: string,
  experiment: string,
): Promise<{ readonly summary: Summary; readonly notes: string[] }> {
  const { root, graph, store, interpreters } = readGraph(cwd);
  const plan = planConditions(graph, selectConditions(graph, [experiment]));
  const { config } = experimentOf(graph, experiment);
  const opened = openStore(store);
  const previews = (await previewPlan(plan, root, opened, availableParallelism(), interpreters)).filter(
    ({ planned }) => planned.experiment === experiment,
  );
  const fresh = new Set(previews.flatMap(({ planned, isCurrent }) => (isCurrent ? [planned.condition] : [])));
  const summary = readResults(join(root, config.folder, RESULTS), {
    experiment,
    conditions: conditionsOf(graph, experiment),
    // What a config says now is not what older results were made with.
    facts: (digests) =>
      new Map([...factsOf(graph, experiment, digests)].filter(([condition]) => fresh.has(condition))),
  });
  if (summary === undefined)
    throw new SettingsError(
      `"${experiment}" has no results. Run it first: npx nx-experiments run ${experiment}`,
    );
  const better = config.hypotheses.flatMap(({ name, better: side, metricGroups }) =>
    metricGroups.flatMap((metrics) =>
      side === undefined
        ? []
        : metrics.map((metric) => ({
            hypothesis: name,
            condition: '',
            metrics: [metric],
            better: side,
            significant: undefined,
          })),
    ),
  );
  const present = new Set(summary.conditions.map(({ condition }) => condition));
  const notes = opened === undefined ? [UNKNOWN_AGE] : staleNotes(experiment, previews, present);
  return { summary: { ...summary, verdicts: [...summary.verdicts, ...better] }, notes };
}
