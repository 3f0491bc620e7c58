import { compareText } from '../../base/diagnostics.ts';
import { correct } from '../../statistics/corrections.ts';
import type { Interval } from '../../statistics/outcome.ts';
import { ALPHA } from '../model.ts';
import { type Comparison, compareSides } from './compare-sides.ts';
import type { Summary, SummaryCondition, SummaryMetric, SummaryVerdict } from './parse-summary.ts';

export type Word = 'better' | 'worse' | 'higher' | 'lower' | 'same' | 'unclear' | 'new' | 'gone';

/** One metric under one condition, before and after. */
export interface DiffRow {
  readonly metric: string;
  readonly condition: string;
  readonly before: SummaryMetric | undefined;
  readonly after: SummaryMetric | undefined;
  /** Undefined when it is on one side only. */
  readonly comparison: (Comparison & { readonly adjusted: number; readonly interval: Interval }) | undefined;
  readonly word: Word;
}

/** Something of a condition that is not what it was; undefined: there was, or is, none. */
export interface Change {
  readonly condition: string;
  readonly what: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** One result of an experiment against an earlier one. The same two summaries give the same model. */
export interface DiffModel {
  readonly experiment: string;
  /** What it is compared with, in words. */
  readonly base: string;
  /** What a reader must know before trusting the numbers. */
  readonly notes: readonly string[];
  readonly rows: readonly DiffRow[];
  readonly newConditions: readonly string[];
  readonly goneConditions: readonly string[];
  readonly changes: readonly Change[];
  readonly verdicts: readonly Change[];
  readonly identical: boolean;
}

export interface DiffOptions {
  readonly base: string;
  readonly notes?: readonly string[];
  /** Only these; all when left out. */
  readonly conditions?: readonly string[] | undefined;
  readonly metrics?: readonly string[] | undefined;
}

/** Compares two summaries of one experiment, after minus before. */
export function diffSummaries(before: Summary, after: Summary, options: DiffOptions): DiffModel {
  const { base, notes = [], conditions, metrics } = options;
  const isWanted = (condition: string): boolean => conditions?.includes(condition) ?? true;
  const [was, is] = [before, after].map(({ conditions: all }) =>
    all.filter(({ condition }) => isWanted(condition)),
  ) as [SummaryCondition[], SummaryCondition[]];
  const chosen = ({ condition, metric }: SummaryMetric): boolean =>
    isWanted(condition) && (metrics?.includes(metric) ?? true);
  const rows = withWords(pairRows(before, after, chosen), after.verdicts);
  const names = (all: readonly SummaryCondition[]): string[] => all.map(({ condition }) => condition);
  const newConditions = names(is).filter((name) => !names(was).includes(name));
  const goneConditions = names(was).filter((name) => !names(is).includes(name));
  const changes = is.flatMap((now) => {
    const then = was.find(({ condition }) => condition === now.condition);
    return then === undefined ? [] : changesOf(then, now);
  });
  const verdicts = changedVerdicts(before, after).filter(({ condition }) => isWanted(condition));
  const told =
    newConditions.length + goneConditions.length + changes.length + verdicts.length === 0 && rows.length > 0;
  return {
    experiment: after.experiment,
    base,
    notes: [...notes, ...notesOf(before, after)],
    rows,
    newConditions,
    goneConditions,
    changes,
    verdicts,
    identical: told && rows.every(({ word, comparison }) => word === 'same' && comparison?.complete === true),
  };
}

type RawRow = Omit<DiffRow, 'word' | 'comparison'> & { readonly comparison: Comparison | undefined };

function pairRows(before: Summary, after: Summary, chosen: (row: SummaryMetric) => boolean): RawRow[] {
  const keyOf = ({ metric, condition }: SummaryMetric): string => JSON.stringify([metric, condition]);
  const then = new Map(before.metrics.filter(chosen).map((row) => [keyOf(row), row]));
  const now = new Map(after.metrics.filter(chosen).map((row) => [keyOf(row), row]));
  const order = [...after.conditions, ...before.conditions].map(({ condition }) => condition);
  return [...new Set([...now.keys(), ...then.keys()])]
    .map((key) => {
      const [a, b] = [then.get(key), now.get(key)];
      const { metric = '', condition = '' } = b ?? a ?? {};
      const seedsOf = ({ conditions }: Summary): readonly number[] | undefined =>
        conditions.find((one) => one.condition === condition)?.seeds;
      const comparison =
        a && b && compareSides({ ...a, seeds: seedsOf(before) }, { ...b, seeds: seedsOf(after) });
      return { metric, condition, before: a, after: b, comparison };
    })
    .sort(
      (a, b) =>
        compareText(a.metric, b.metric) ||
        order.indexOf(a.condition) - order.indexOf(b.condition) ||
        compareText(a.condition, b.condition),
    );
}

function withWords(rows: readonly RawRow[], verdicts: readonly SummaryVerdict[]): DiffRow[] {
  const adjusted = correct(
    rows.map(({ comparison }) => comparison?.p ?? Number.NaN),
    'holm',
  );
  return rows.map((row, i) => {
    const { comparison: raw, before, metric } = row;
    if (raw === undefined)
      return { ...row, comparison: undefined, word: before === undefined ? 'new' : 'gone' };
    const comparison = { ...raw, adjusted: adjusted[i] ?? Number.NaN };
    const better = verdicts.find(
      ({ metrics, better: side }) => side !== undefined && metrics.length === 1 && metrics[0] === metric,
    )?.better;
    return { ...row, comparison, word: wordOf(comparison, better) };
  });
}

function wordOf(
  { same, adjusted, difference }: Comparison & { readonly adjusted: number },
  better: SummaryVerdict['better'],
): Word {
  if (same) return 'same';
  if (!(adjusted < ALPHA) || difference === 0 || Number.isNaN(difference)) return 'unclear';
  const side = difference > 0 ? 'higher' : 'lower';
  if (better === undefined) return side;
  return side === better ? 'better' : 'worse';
}

function changesOf(before: SummaryCondition, after: SummaryCondition): Change[] {
  const { condition } = after;
  const among = (
    prefix: string,
    a: ReadonlyMap<string, string> | undefined,
    b: ReadonlyMap<string, string> | undefined,
  ): Change[] => {
    // A side that does not tell has not changed.
    if (a === undefined || b === undefined) return [];
    return [...new Set([...a.keys(), ...b.keys()])]
      .filter((name) => a.get(name) !== b.get(name))
      .sort(compareText)
      .map((name) => ({ condition, what: `${prefix} ${name}`, before: a.get(name), after: b.get(name) }));
  };
  const [then, now] = [before, after].map(replicatesOf);
  return [
    ...among('parameter', before.parameters, after.parameters),
    ...among('datasource', before.datasource, after.datasource),
    ...(then === now ? [] : [{ condition, what: 'replicates', before: then, after: now }]),
  ];
}

function replicatesOf({ finished, failed }: SummaryCondition): string {
  return failed === 0 ? String(finished) : `${finished} and ${failed} failed`;
}

function changedVerdicts(before: Summary, after: Summary): Change[] {
  const keyOf = ({ hypothesis, condition, metrics }: SummaryVerdict): string =>
    JSON.stringify([hypothesis, condition, metrics]);
  const then = new Map(before.verdicts.map((verdict) => [keyOf(verdict), verdict]));
  return after.verdicts.flatMap((verdict) => {
    const earlier = then.get(keyOf(verdict));
    const { condition, hypothesis, metrics, significant } = verdict;
    if (earlier?.significant === undefined || significant === undefined) return [];
    if (earlier.significant === significant) return [];
    const word = (is: boolean): string => (is ? 'significant' : 'not significant');
    const what = `hypothesis ${hypothesis} on ${metrics.join(', ')}`;
    return [{ condition, what, before: word(earlier.significant), after: word(significant) }];
  });
}

function notesOf(before: Summary, after: Summary): string[] {
  return [
    ...(before.experiment === after.experiment
      ? []
      : [`The base is a result of another experiment: ${before.experiment}.`]),
    ...([before, after].some(({ version }) => version === 1)
      ? ['A summary.json of version 1 holds no values by replicate: compared by mean, deviation and number.']
      : []),
  ];
}
