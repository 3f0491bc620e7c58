import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { findExperiments } from '../api/find-experiments.ts';
import { type ExperimentOrigin, resolveOrigins } from '../api/origin.ts';
import type { Result } from '../api/result.ts';
import { runGraph } from '../api/run-graph.ts';
import type { GraphRunOptions } from '../api/run-options.ts';
import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { stopSignal } from '../nx/stop-signal.ts';
import { renderOutcome, TerminalReporter } from '../nx/terminal.ts';
import { problemsOf, renderProblem } from '../report/problems.ts';
import { renderTable } from '../report/table.ts';
import { type Arguments, type Command, columnsToFill, showsColour, textOf, toJson } from './command.ts';
import { choicesOf, numbersOf } from './run-choices.ts';
import { readGraph } from './workspace.ts';

const STOPPED = 130;

/** `nx-experiments run`: experiments by name or by folder, without Nx. */
export const run: Command['run'] = async ({ cwd, names, options, json }, print) => {
  const experiments = resolveOrigins(originsOf(cwd, names));
  const signal = stopSignal();
  const reporter = new TerminalReporter((line) => {
    if (json) process.stderr.write(`${line}\n`);
    else print(`${line}\n`);
  });
  const results = await runGraph(
    experiments,
    { ...runOptions(options), signal, onEvent: reporter.report },
    {
      onCondition: ({ outcome }) => {
        if (!json) print(`${renderOutcome(outcome)}\n`);
      },
      onResult: ({ experiment, errors }, model) => {
        if (json) return;
        if (model === undefined) {
          const why = errors.at(-1)?.message ?? 'a condition did not succeed';
          return print(renderProblem(experiment, `not compared: ${why}`));
        }
        const problems = problemsOf(model).map((problem) => renderProblem(experiment, problem));
        print(
          `\n${renderTable(model, { colour: showsColour(), width: columnsToFill() })}\n${problems.join('')}`,
        );
      },
    },
  );
  if (json) print(toJson(Object.fromEntries([...results].map(([name, result]) => [name, dataOf(result)]))));
  if (signal.aborted) return STOPPED;
  return [...results.values()].every(({ status }) => status === 'succeeded') ? 0 : 1;
};

/** Names are looked for first; what is none is a path. Without any: all experiments of the workspace, or below the folder. */
function originsOf(cwd: string, names: readonly string[]): ExperimentOrigin[] {
  if (names.length === 0) return findExperiments(cwd);
  const paths = names.filter((name) => /[/\\]|^\.+$/.test(name));
  const plain = names.filter((name) => !paths.includes(name));
  if (plain.length === 0) return paths.flatMap((path) => findExperiments(resolve(cwd, path)));
  const { graph, root } = readGraph(cwd);
  return [
    ...paths.flatMap((path) => findExperiments(resolve(cwd, path))),
    ...plain.flatMap((name): ExperimentOrigin[] => {
      if (graph.experiments.has(name)) return [{ type: 'folder', name, root, graph }];
      if (existsSync(resolve(cwd, name))) return findExperiments(resolve(cwd, name));
      const hint = suggestion(name, [...graph.order].sort(), 'experiments');
      throw new SettingsError(`There is no experiment and no folder "${name}". ${hint}`);
    }),
  ];
}

function runOptions(options: Arguments['options']): GraphRunOptions {
  const strategy = textOf(options.strategy) as 'resume' | 'rerun' | undefined;
  return {
    ...choicesOf(options),
    ...numbersOf(options, ['workers']),
    ...(strategy === undefined ? {} : { strategy }),
    ...(options['fail-fast'] === true ? { failFast: true } : {}),
  };
}

/** Plain data: functions are left out, and numbers that JSON lacks are spelled. */
export function dataOf({ values: _, ...result }: Result): unknown {
  return JSON.parse(
    JSON.stringify(result, (_key, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
    ),
  );
}
