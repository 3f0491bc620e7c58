import { printable } from '../base/diagnostics.ts';
import type { ReportModel } from './model.ts';

/** Why a comparison fails although there is one, a sentence each: verifiers that failed, and gates that are not passed. */
export function problemsOf({ verdicts }: ReportModel): string[] {
  const failed = verdicts.flatMap(({ hypothesis, result }) =>
    result.ok ? [] : [`hypothesis "${hypothesis}": ${result.message}`],
  );
  const gates = verdicts.flatMap(({ gate }) => gate ?? []);
  return [...new Set([...failed, ...gates])];
}

/** A problem as a terminal may be shown it: names and messages are the user's, and may hold what a terminal would obey. */
export function renderProblem(experiment: string, problem: string): string {
  return `${experiment}: ${problem.split('\n').map(printable).join('\n  ')}\n`;
}
