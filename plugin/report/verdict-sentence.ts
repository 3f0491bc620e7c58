import { printable } from '../base/diagnostics.ts';
import { largest } from '../base/largest.ts';
import { BASELINE } from '../base/names.ts';
import type { MetricRow, ReportModel, Verdict } from './model.ts';
import { count, formatEffect, formatInterval, formatP, formatWithin, signed } from './numbers.ts';
import { isDifference, type Reading, readRow } from './reading.ts';
import { looksFor } from './side.ts';
import { VerdictValues } from './verdict-values.ts';

const MAX_NAME = 60;
const MAX_REASON = 300;

/** A row with what was read from it. */
interface Finding {
  readonly row: MetricRow;
  readonly reading: Reading;
}

/** What the experiment comes to, in plain text of a few sentences: trouble first, then the clearest difference. */
export function verdictSentence(model: ReportModel): string {
  return [gates(model), brokenVerifiers(model), outcome(model), failures(model), missing(model)]
    .filter((sentence) => sentence !== undefined)
    .join(' ');
}

function gates({ verdicts }: ReportModel): string | undefined {
  const [first, ...others] = verdicts.flatMap(({ gate }) => gate ?? []);
  if (first === undefined) return undefined;
  const more =
    others.length === 0
      ? ''
      : ` ${count(others.length, 'more gate')} ${others.length === 1 ? 'fails' : 'fail'}.`;
  return `A gate fails: ${clip(first, MAX_REASON)}.${more}`;
}

function brokenVerifiers({ verdicts }: ReportModel): string | undefined {
  const broken = verdicts.find(({ result }) => !result.ok);
  if (broken === undefined || broken.result.ok) return undefined;
  return `Hypothesis "${clip(broken.hypothesis)}" could not be judged: ${clip(broken.result.message, MAX_REASON)}.`;
}

function outcome(model: ReportModel): string | undefined {
  const { metrics, conditions } = model;
  if (metrics.length === 0) return 'No metrics were recorded.';
  const findings = metrics.flatMap((row) => {
    const reading = readRow(model, row);
    return reading === undefined ? [] : [{ row, reading }];
  });
  if (findings.length === 0) return uncompared(metrics, conditions.length);
  const decided = findings.filter(({ reading }) => isDifference(reading));
  const clearest = clearestOf(model, decided);
  if (clearest === undefined) return nothingDiffers(model, findings);
  const others = decided.length - 1;
  const rest =
    findings.length === 1
      ? ''
      : ` ${others === 0 ? 'Nothing else clearly differs' : `${others} of ${count(findings.length - 1, 'other comparison')} ${others === 1 ? 'differs' : 'differ'}`} from the baseline.`;
  return `${describe(clearest)}${rest}`;
}

/** Of the first hypothesis that decides something, what is better before what is not; then the largest effect. */
function clearestOf({ verdicts }: ReportModel, decided: readonly Finding[]): Finding | undefined {
  const place = ({ reading: { verdict } }: Finding): number =>
    verdict === undefined
      ? verdicts.length
      : verdicts.findIndex(({ hypothesis }) => hypothesis === verdict.hypothesis);
  const rank = ({ reading }: Finding): number => (reading.word === 'better' ? 0 : 1);
  const metric = ({ row, reading: { verdict } }: Finding): string =>
    verdict === undefined ? '' : row.metric;
  const size = (finding: Finding): number => {
    const { difference, effect } = finding.row.comparison ?? { difference: 0, effect: 0 };
    return Math.abs(finding.reading.verdict === undefined ? effect : difference);
  };
  const first = [...decided].sort((a, b) => place(a) - place(b) || rank(a) - rank(b))[0];
  if (first === undefined) return undefined;
  return decided
    .filter(
      (one) => place(one) === place(first) && rank(one) === rank(first) && metric(one) === metric(first),
    )
    .reduce((best, one) => (size(one) > size(best) ? one : best));
}

/** `high_lr is better than the baseline on accuracy: +0.1 [+0.05, +0.15] (paired t test, …)`. */
function describe({ row, reading: { word, verdict } }: Finding): string {
  const { difference, interval, adjusted, pairs } = row.comparison ?? NOTHING;
  const values = verdict === undefined ? undefined : new VerdictValues(verdict);
  const seen = values?.number('difference') ?? Number.NaN;
  const by = Number.isNaN(seen) ? difference : seen;
  const own = { low: values?.number('ci_low') ?? Number.NaN, high: values?.number('ci_high') ?? Number.NaN };
  // A verifier that gives no interval mostly speaks of the same difference of means.
  const isMean = Math.abs(by - difference) <= 1e-9 * Math.abs(difference);
  const shown = Number.isNaN(own.low + own.high) && isMean ? interval : own;
  const format = formatWithin(shown);
  const range = formatInterval(shown, format);
  const sure =
    verdict === undefined || values === undefined
      ? `paired t test, p ${pText(adjusted)} corrected by Holm, n ${pairs}`
      : certainty(verdict, values, pairs);
  // Where most values tie, a test by rank sees a difference of zero, and its effect size which side it is.
  const size =
    by === 0 && values !== undefined
      ? `${values.effectName} ${formatEffect(values.number('effect_size'))}`
      : `${signed(by, format)}${range === '' ? '' : ` ${range}`}`;
  return `${clip(row.condition)} is ${word} than the ${BASELINE} on ${clip(row.metric)}: ${size} (${sure}).`;
}

const NOTHING = {
  difference: Number.NaN,
  interval: { low: Number.NaN, high: Number.NaN },
  adjusted: Number.NaN,
  pairs: 0,
};

/** Which test, the p-value that counts, and of how many. */
function certainty(
  { verifier, builtIn, corrected, alpha }: Verdict,
  values: VerdictValues,
  pairs: number,
): string {
  const p = values.isCorrected ? values.number('p_adjusted') : values.number('p_value');
  const how = corrected?.correction === 'holm' ? 'Holm' : 'Benjamini-Hochberg';
  const n = values.number('n');
  return [
    clip(builtIn ? verifier.replaceAll('_', ' ') : verifier),
    ...(Number.isNaN(p) ? [] : [`p ${pText(p, alpha)}${values.isCorrected ? ` corrected by ${how}` : ''}`]),
    `n ${Number.isNaN(n) ? pairs : n}`,
  ].join(', ');
}

function pText(p: number, alpha?: number): string {
  const text = formatP(p, alpha);
  return /^[<>]/.test(text) ? text : `= ${text}`;
}

function nothingDiffers({ metrics, conditions }: ReportModel, findings: readonly Finding[]): string {
  const same = findings.filter(({ reading }) => reading.word === 'same').length;
  const equivalent = findings.filter(({ reading }) => reading.word === 'equivalent').length;
  const all = (conditions.length - 1) * new Set(metrics.map(({ metric }) => metric)).size;
  if (same === all) return `Nothing differs from the ${BASELINE}: all values are the same.`;
  if (same === findings.length)
    return `What can be compared with the ${BASELINE} is the same: ${findings.length} of ${count(all, 'comparison')}.`;
  if (same + equivalent === findings.length)
    return `Nothing differs from the ${BASELINE}: ${count(equivalent, 'comparison')} found equivalent.`;
  const ps = findings.flatMap(({ row, reading: { word, verdict } }) => {
    // What is the same was not told apart by a p-value.
    if (word === 'same') return [];
    // The p-value of another question would contradict the sentence: that of an equivalence found is small.
    const answers = verdict && looksFor(verdict, row.comparison?.difference ?? Number.NaN);
    const p = answers ? new VerdictValues(verdict).number('p_adjusted') : row.comparison?.adjusted;
    return p === undefined || Number.isNaN(p) ? [] : [p];
  });
  const least =
    ps.length === 0 ? '' : `, smallest corrected p ${pText(ps.reduce((least, p) => Math.min(least, p)))}`;
  const pairs = largest(findings.map(({ row }) => row.comparison?.pairs ?? 0));
  return `Nothing differs from the ${BASELINE} that chance could not explain: ${count(findings.length, 'comparison')}${least}, n ${pairs}.`;
}

/** Without a comparison there still are numbers, of the first metric. */
function uncompared(rows: readonly MetricRow[], conditions: number): string {
  const same = rows.filter(({ metric }) => metric === rows[0]?.metric);
  const numbers = same.slice(0, 3).map(({ condition, description: { mean, n }, interval: { low, high } }) => {
    const format = formatWithin({ low, high });
    const range = Number.isNaN(low + high) ? '' : ` [${format(low)}, ${format(high)}]`;
    return `${format(mean)}${range} under ${clip(condition)} (n ${n})`;
  });
  const more = same.length > 3 ? ` and ${same.length - 3} more` : '';
  const pairs = largest(rows.map(({ comparison }) => comparison?.pairs ?? 0));
  const why =
    conditions === 1
      ? 'There is one condition, and nothing to compare it with'
      : pairs < 2
        ? 'There are too few pairs of replicates to tell a difference from chance'
        : 'No difference can be told from chance';
  return `${why}: ${clip(rows[0]?.metric ?? '')} is ${numbers.join(', ')}${more}.`;
}

function failures({ conditions }: ReportModel): string | undefined {
  const failed = conditions.reduce((sum, condition) => sum + condition.failed.length, 0);
  if (failed === 0) return undefined;
  const all = failed + conditions.reduce((sum, condition) => sum + condition.finished, 0);
  const where = conditions.filter((condition) => condition.failed.length > 0);
  return `${failed} of ${count(all, 'replicate')} failed, under ${names(where.map(({ condition }) => condition))}.`;
}

function missing({ missing }: ReportModel): string | undefined {
  if (missing.length === 0) return undefined;
  return `No results of ${names(missing.map(({ condition }) => condition))}.`;
}

function names(all: readonly string[]): string {
  const shown = all.slice(0, 3).map((name) => clip(name));
  return all.length > 3 ? `${shown.join(', ')} and ${all.length - 3} more` : shown.join(', ');
}

function clip(text: string, most = MAX_NAME): string {
  const clean = printable(text.replace(/\n/g, ' '));
  return clean.length > most ? `${clean.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : clean;
}
