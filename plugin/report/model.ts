import { compareText } from '../base/diagnostics.ts';
import type { JsonObject } from '../base/json.ts';
import { BASELINE } from '../base/names.ts';
import type { ConditionManifest } from '../runtime/manifest.ts';
import { pairedDifferences } from '../statistics/built-in.ts';
import { type Correction, correct } from '../statistics/corrections.ts';
import { type Description, describe } from '../statistics/describe.ts';
import type { Alternative, Interval } from '../statistics/outcome.ts';
import { meanInterval, pairedTTest } from '../statistics/t-tests.ts';
import { areSame, type Sample, sampleOf, withGaps } from './samples.ts';

/** Of everything in a report that no hypothesis sets: intervals have confidence 1 - ALPHA. */
export const ALPHA = 0.05;

/** A condition against the baseline, replicate by replicate, by a paired t test. */
export interface PairedComparison {
  /** Mean of condition minus baseline. */
  readonly difference: number;
  readonly interval: Interval;
  /** d_z: mean over standard deviation of the differences. */
  readonly effect: number;
  readonly p: number;
  /** By Holm's method, over all comparisons of the report. */
  readonly adjusted: number;
  readonly pairs: number;
  /** No replicate differs from that of the baseline. */
  readonly same: boolean;
}

/** One metric under one condition. */
export interface MetricRow {
  readonly metric: string;
  readonly condition: string;
  readonly sample: Sample;
  readonly description: Description;
  /** Of the mean. */
  readonly interval: Interval;
  /** Undefined for the baseline, and without one. */
  readonly comparison: PairedComparison | undefined;
}

export interface Verdict {
  readonly hypothesis: string;
  readonly verifier: string;
  readonly condition: string;
  readonly metrics: readonly string[];
  /** The verifier is one of ours: its values have the names of `TestValues`. */
  readonly builtIn: boolean;
  /** Which values are good, when the hypothesis says so. */
  readonly better: 'higher' | 'lower' | undefined;
  /** On which side a test of ours looks for a difference; left out: on both. */
  readonly alternative?: Alternative;
  /** What a p-value of a test of ours is held against. */
  readonly alpha?: number;
  /** Of a test of ours that asks for equivalence, or whose difference must not be worse by it. */
  readonly margin?: number;
  /** What the hypothesis requires of every condition, where it is a gate. */
  readonly require?: 'significant' | 'not-worse';
  /** What the p-value was corrected for; undefined without one. */
  readonly corrected: { readonly correction: Correction; readonly tests: number } | undefined;
  /** Why the gate that the hypothesis sets is not passed, in one sentence; undefined when it is, or there is none. */
  readonly gate: string | undefined;
  /** What the verifier returned, or why it failed. */
  readonly result:
    | { readonly ok: true; readonly values: JsonObject }
    | { readonly ok: false; readonly message: string };
}

/** What is known of a condition beside its results. */
export interface ConditionFacts {
  /** Digest of metrics.json, in hexadecimal digits. */
  readonly digest: string;
  /** Context values in force. */
  readonly parameters: JsonObject;
  /** By the name of a datasource: what it reads. */
  readonly datasource: Readonly<Record<string, string>>;
}

export interface ConditionSummary extends Partial<ConditionFacts> {
  readonly condition: string;
  readonly finished: number;
  readonly failed: ConditionManifest['failed'];
  /** By replicate. */
  readonly seeds: readonly number[];
}

/** The comparison of the conditions of an experiment. The same results give the same model. */
export interface ReportModel {
  readonly experiment: string;
  readonly description: string | undefined;
  readonly conditions: readonly ConditionSummary[];
  /** Conditions that have no results to compare, each with the reason. */
  readonly missing: readonly { readonly condition: string; readonly reason: string }[];
  readonly metrics: readonly MetricRow[];
  /** Of each hypothesis, the smallest p-value first. */
  readonly verdicts: readonly Verdict[];
}

/** What is compared. */
export interface Subject {
  readonly name: string;
  readonly description: string | undefined;
  readonly facts?: ReadonlyMap<string, ConditionFacts>;
  readonly missing?: ReportModel['missing'];
}

/** Compares conditions. A metric recorded several times in a replicate counts with its mean there. */
export function compareConditions(
  { name, description, facts, missing = [] }: Subject,
  manifests: readonly ConditionManifest[],
  verdicts: readonly Verdict[],
): ReportModel {
  const baseline = manifests.find((manifest) => manifest.condition === BASELINE);
  const metrics = metricNames(manifests).flatMap((metric) => {
    const reference = baseline && sampleOf(baseline, metric);
    return manifests.flatMap((manifest) => row(metric, manifest, baseline, reference));
  });
  return {
    experiment: name,
    description,
    conditions: manifests.map((manifest) => ({
      condition: manifest.condition,
      finished: manifest.replicates.length,
      failed: manifest.failed,
      seeds: seedsOf(manifest),
      ...facts?.get(manifest.condition),
    })),
    missing,
    metrics: withAdjusted(metrics),
    verdicts: rankVerdicts(verdicts),
  };
}

function row(
  metric: string,
  manifest: ConditionManifest,
  baseline: ConditionManifest | undefined,
  reference: Sample | undefined,
): MetricRow[] {
  const sample = manifest === baseline && reference ? reference : sampleOf(manifest, metric);
  const recorded = sample.values.filter((value) => value !== undefined);
  if (recorded.length === 0) return [];
  const description = describe(recorded);
  return [
    {
      metric,
      condition: manifest.condition,
      sample,
      description,
      interval: meanInterval(description, ALPHA),
      comparison: reference && manifest !== baseline ? comparePairs(reference, sample) : undefined,
    },
  ];
}

function comparePairs(baseline: Sample, treatment: Sample): PairedComparison {
  const differences = pairedDifferences({ baseline: withGaps(baseline), treatment: withGaps(treatment) });
  const { difference, interval, effect, p, n } = pairedTTest(differences, {
    alpha: ALPHA,
    alternative: 'two-sided',
  });
  return {
    difference,
    interval,
    effect: effect.size,
    p,
    adjusted: p,
    pairs: n,
    same: areSame(baseline, treatment),
  };
}

function withAdjusted(rows: readonly MetricRow[]): MetricRow[] {
  const adjusted = correct(
    rows.map(({ comparison }) => comparison?.p ?? Number.NaN),
    'holm',
  );
  return rows.map((one, i) =>
    one.comparison === undefined
      ? one
      : { ...one, comparison: { ...one.comparison, adjusted: adjusted[i] ?? Number.NaN } },
  );
}

function metricNames(manifests: readonly ConditionManifest[]): string[] {
  const names = new Set<string>();
  for (const { replicates } of manifests)
    for (const { metrics } of replicates) for (const name of Object.keys(metrics)) names.add(name);
  return [...names].sort(compareText);
}

function seedsOf({ replicates, failed }: ConditionManifest): number[] {
  const all = [...replicates, ...failed].sort((a, b) => a.replicate - b.replicate);
  return all.map(({ seed }) => seed);
}

function rankVerdicts(verdicts: readonly Verdict[]): Verdict[] {
  const p = ({ result }: Verdict): number => {
    const value = result.ok ? result.values.p_value : undefined;
    return typeof value === 'number' && !Number.isNaN(value) ? value : Number.POSITIVE_INFINITY;
  };
  return groupVerdicts(verdicts).flatMap((group) => group.sort((a, b) => (p(a) === p(b) ? 0 : p(a) - p(b))));
}

/** By hypothesis, in the order in which they came. */
export function groupVerdicts(verdicts: readonly Verdict[]): Verdict[][] {
  const groups = new Map<string, Verdict[]>();
  for (const verdict of verdicts)
    groups.set(verdict.hypothesis, [...(groups.get(verdict.hypothesis) ?? []), verdict]);
  return [...groups.values()];
}
