import type { ReportModel } from './model.ts';

/** Why a comparison fails although there is one, a sentence each: verifiers that failed, and gates that are not passed. */
export function problemsOf({ verdicts }: ReportModel): string[] {
  const failed = verdicts.flatMap(({ hypothesis, result }) =>
    result.ok ? [] : [`hypothesis "${hypothesis}": ${result.message}`],
  );
  const gates = verdicts.flatMap(({ gate }) => gate ?? []);
  return [...new Set([...failed, ...gates])];
}
