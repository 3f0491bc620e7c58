import { compareText } from '../base/diagnostics.ts';
import type { JsonObject } from '../base/json.ts';
import { BASELINE } from '../base/names.ts';
import type { ConditionManifest } from '../runtime/manifest.ts';
import type { Correction } from '../statistics/corrections.ts';
import { type Description, describe, meanOf } from '../statistics/describe.ts';

/** One metric under one condition. */
export interface MetricRow {
  readonly metric: string;
  readonly condition: string;
  readonly description: Description;
  /** Mean over replicates of condition minus baseline, over the pairs that both have; undefined for the baseline. */
  readonly difference: number | undefined;
  readonly pairs: number;
}

export interface Verdict {
  readonly hypothesis: string;
  readonly verifier: string;
  readonly condition: string;
  readonly metrics: readonly string[];
  /** The verifier is one of ours: its values have the names of `TestValues`. */
  readonly builtIn: boolean;
  /** What the p-value was corrected for; undefined without one. */
  readonly corrected: { readonly correction: Correction; readonly tests: number } | undefined;
  /** Why the gate that the hypothesis sets is not passed, in one sentence; undefined when it is, or there is none. */
  readonly gate: string | undefined;
  /** What the verifier returned, or why it failed. */
  readonly result:
    | { readonly ok: true; readonly values: JsonObject }
    | { readonly ok: false; readonly message: string };
}

export interface ConditionSummary {
  readonly condition: string;
  readonly finished: number;
  readonly failed: number;
}

/** The comparison of all conditions of an experiment. */
export interface ReportModel {
  readonly experiment: string;
  readonly description: string | undefined;
  readonly conditions: readonly ConditionSummary[];
  readonly metrics: readonly MetricRow[];
  /** Of each hypothesis, the smallest p-value first. */
  readonly verdicts: readonly Verdict[];
}

/** Compares conditions. A metric recorded several times in a replicate counts with its mean there. */
export function compareConditions(
  experiment: { readonly name: string; readonly description: string | undefined },
  manifests: readonly ConditionManifest[],
  verdicts: readonly Verdict[],
): ReportModel {
  const baseline = manifests.find((manifest) => manifest.condition === BASELINE);
  const names = [...new Set(manifests.flatMap(metricNames))].sort(compareText);
  return {
    experiment: experiment.name,
    description: experiment.description,
    conditions: manifests.map(({ condition, replicates, failed }) => ({
      condition,
      finished: replicates.length,
      failed: failed.length,
    })),
    metrics: names.flatMap((metric) => manifests.flatMap((manifest) => row(metric, manifest, baseline))),
    verdicts: rankVerdicts(verdicts),
  };
}

function row(
  metric: string,
  manifest: ConditionManifest,
  baseline: ConditionManifest | undefined,
): MetricRow[] {
  const values = valuesOf(manifest, metric);
  if (values.size === 0) return [];
  const description = describe([...values.values()]);
  if (baseline === undefined || manifest === baseline) {
    return [{ metric, condition: manifest.condition, description, difference: undefined, pairs: 0 }];
  }
  const reference = valuesOf(baseline, metric);
  const differences = [...values].flatMap(([replicate, value]) => {
    const other = reference.get(replicate);
    return other === undefined || Number.isNaN(value - other) ? [] : [value - other];
  });
  return [
    {
      metric,
      condition: manifest.condition,
      description,
      difference: meanOf(differences),
      pairs: differences.length,
    },
  ];
}

/** Value of a metric by replicate. */
function valuesOf(manifest: ConditionManifest, metric: string): Map<number, number> {
  const values = new Map<number, number>();
  for (const { replicate, metrics } of manifest.replicates) {
    const recorded = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
    if (recorded !== undefined) values.set(replicate, meanOf(recorded));
  }
  return values;
}

function metricNames(manifest: ConditionManifest): string[] {
  return manifest.replicates.flatMap(({ metrics }) => Object.keys(metrics));
}

function rankVerdicts(verdicts: readonly Verdict[]): Verdict[] {
  const p = ({ result }: Verdict): number => {
    const value = result.ok ? result.values.p_value : undefined;
    return typeof value === 'number' && !Number.isNaN(value) ? value : Number.POSITIVE_INFINITY;
  };
  const groups = new Map<string, Verdict[]>();
  for (const verdict of verdicts)
    groups.set(verdict.hypothesis, [...(groups.get(verdict.hypothesis) ?? []), verdict]);
  return [...groups.values()].flatMap((group) => group.sort((a, b) => (p(a) === p(b) ? 0 : p(a) - p(b))));
}
