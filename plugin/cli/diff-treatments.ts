import { printable } from '../base/diagnostics.ts';
import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionAt, conditionsOf, type ResolvedSource, resolveCondition } from '../graph/conditions.ts';
import { describeSource } from '../graph/describe-source.ts';
import type { Graph } from '../graph/graph.ts';
import { withUpstream } from '../runtime/plan.ts';
import { type Command, toJson } from './command.ts';
import { readGraph } from './workspace.ts';

/** Something that differs between two conditions of one experiment; undefined: it has no such value. */
export interface ConditionDifference {
  readonly experiment: string;
  readonly kind: 'parameter' | 'datasource';
  readonly name: string;
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/** `nx-experiments diff-treatments a b`: what differs between two conditions, all that is read included. */
export const run: Command['run'] = async ({ cwd, names: [a, b, experiment, ...more], json }, print) => {
  if (a === undefined || b === undefined || more.length > 0) {
    throw new SettingsError(
      '"diff-treatments" takes two conditions, and an experiment: <a> <b> [experiment].',
    );
  }
  const { graph } = readGraph(cwd);
  const differences = diffConditions(graph, a, b, experiment);
  print(json ? toJson({ a, b, differences }) : renderDifferences(a, b, differences));
  return 0;
};

/** @throws SettingsError for an unknown name */
export function diffConditions(
  graph: Graph,
  a: string,
  b: string,
  experiment?: string,
): ConditionDifference[] {
  if (experiment !== undefined && !graph.experiments.has(experiment)) {
    const hint = suggestion(experiment, [...graph.order].sort(), 'experiments');
    throw new SettingsError(`There is no experiment "${experiment}". ${hint}`);
  }
  const among = experiment === undefined ? graph.order : [experiment];
  const known = [...new Set(among.flatMap((name) => conditionsOf(graph, name)))];
  for (const condition of [a, b]) {
    if (known.includes(condition)) continue;
    const where = experiment === undefined ? 'No experiment has' : `"${experiment}" does not have`;
    throw new SettingsError(
      `${where} a condition "${condition}". ${suggestion(condition, known, 'conditions')}`,
    );
  }
  const conditions = [a, b].map((condition) => ({ experiment: experiment ?? '', condition }));
  const read =
    experiment === undefined
      ? new Set(graph.order)
      : new Set(withUpstream(graph, conditions).map((ref) => ref.experiment));
  return graph.order.filter((name) => read.has(name)).flatMap((name) => differencesIn(graph, name, a, b));
}

function differencesIn(graph: Graph, experiment: string, a: string, b: string): ConditionDifference[] {
  const [first, second] = [a, b].map((condition) =>
    resolveCondition(graph, experiment, conditionAt(graph, experiment, condition)),
  );
  if (first === undefined || second === undefined) return [];
  const differing = (
    kind: ConditionDifference['kind'],
    before: ReadonlyMap<string, string>,
    after: ReadonlyMap<string, string>,
  ): ConditionDifference[] =>
    [...new Set([...before.keys(), ...after.keys()])]
      .filter((name) => before.get(name) !== after.get(name))
      .map((name) => ({ experiment, kind, name, a: before.get(name), b: after.get(name) }));
  const values = (context: object): Map<string, string> =>
    new Map(Object.entries(context).map(([name, value]) => [name, JSON.stringify(value)]));
  const sources = (all: readonly ResolvedSource[]): Map<string, string> =>
    new Map(all.map((source) => [source.alias, describeSource(source)]));
  return [
    ...differing('parameter', values(first.context), values(second.context)),
    ...differing('datasource', sources(first.sources), sources(second.sources)),
  ];
}

export function renderDifferences(a: string, b: string, differences: readonly ConditionDifference[]): string {
  if (differences.length === 0) return `Nothing differs between ${a} and ${b}.\n`;
  const lines: string[] = [];
  let shown = '';
  for (const { experiment, kind, name, a: before = '(not set)', b: after = '(not set)' } of differences) {
    if (experiment !== shown) lines.push(...(shown === '' ? [] : ['']), printable(experiment));
    shown = experiment;
    const label = kind === 'datasource' ? `${name} reads` : name;
    lines.push(`  ${printable(label)}: ${printable(before)} -> ${printable(after)}`);
  }
  return `${[`${a} -> ${b}`, '', ...lines].join('\n')}\n`;
}
