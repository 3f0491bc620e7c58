import { spellNonFinite } from '../runtime/manifest.ts';
import type { ReportModel } from './model.ts';

/** Text of report/summary.json: the comparison as data, without times or hosts. */
export function renderSummary(model: ReportModel): string {
  const { experiment, conditions, metrics, verdicts } = model;
  const summary = {
    version: 1,
    experiment,
    conditions,
    metrics: metrics.map(({ metric, condition, description, difference, pairs }) => ({
      metric,
      condition,
      ...description,
      ...(difference === undefined ? {} : { difference, pairs }),
    })),
    hypotheses: verdicts.map(
      ({ hypothesis, verifier, condition, metrics: names, result, corrected, gate }) => ({
        hypothesis,
        verifier,
        condition,
        metrics: names,
        ...(corrected === undefined ? {} : corrected),
        ...(gate === undefined ? {} : { gate }),
        ...(result.ok ? { result: result.values } : { error: result.message }),
      }),
    ),
  };
  return `${JSON.stringify(summary, spellNonFinite, 2)}\n`;
}
