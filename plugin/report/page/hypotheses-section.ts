import { groupVerdicts, type ReportModel, type Verdict } from '../model.ts';
import { formatEffect, formatInterval, formatShort, formatWithin, signed } from '../numbers.ts';
import { remarkLines, VerdictValues } from '../verdict-values.ts';
import { type Content, type Html, html, renderSection, renderTable } from './html.ts';

/** Every hypothesis with what was found of each condition. */
export function hypothesesSection({ verdicts }: ReportModel): Content {
  if (verdicts.length === 0) return undefined;
  const note = verdicts.some(({ builtIn }) => builtIn)
    ? html`<p class="note">Least found: the smallest true difference that a t test of so many replicates, paired or not as the test is, finds with probability 0.8. n needed:
the number of replicates of which it finds the observed difference with that probability.</p>
`
    : undefined;
  return renderSection('hypotheses', 'Hypotheses', [...groupVerdicts(verdicts).map(hypothesisBlock), note]);
}

function hypothesisBlock(verdicts: readonly Verdict[]): Content {
  const [first] = verdicts;
  if (first === undefined) return undefined;
  const values = new VerdictValues(first);
  const better = first.better === undefined ? '' : `; ${first.better} is better`;
  return html`<article>
<h3>${first.hypothesis}</h3>
<p class="note"><code>${first.verifier}</code>, each condition against the baseline${values.correction}${values.asked}${better}</p>
${verdicts.map(gateLine)}${verdicts.map(failureLine)}${first.builtIn ? testsTable(verdicts) : valuesTable(verdicts)}${remarks(verdicts)}</article>
`;
}

function gateLine({ gate }: Verdict): Content {
  return gate === undefined ? undefined : html`<p class="alert"><strong>Gate fails:</strong> ${gate}.</p>\n`;
}

function failureLine({ condition, metrics, result }: Verdict): Content {
  if (result.ok) return undefined;
  return html`<p class="alert"><strong>Not judged:</strong> ${condition} on ${metrics.join(', ')}: ${result.message}</p>\n`;
}

/** What our own tests say has names that are known. */
function testsTable(verdicts: readonly Verdict[]): Html {
  const effect = verdicts.map((verdict) => new VerdictValues(verdict).effectName)[0] ?? 'effect';
  const columns = [
    { title: 'Condition' },
    { title: 'Metric' },
    { title: 'Difference', numeric: true },
    { title: 'Interval', numeric: true },
    { title: effect, numeric: true },
    { title: 'p', numeric: true },
    { title: 'corrected', numeric: true },
    { title: 'Significant' },
    { title: 'n', numeric: true },
    { title: 'dropped', numeric: true },
    { title: 'Least found', numeric: true },
    { title: 'n needed', numeric: true },
  ];
  const rows = verdicts.map((verdict): Content[] => {
    const values = new VerdictValues(verdict);
    const interval = { low: values.number('ci_low'), high: values.number('ci_high') };
    const format = formatWithin(interval);
    const number = (key: string): string => known(values.number(key), (value) => formatShort(value));
    return [
      verdict.condition,
      verdict.metrics.join(', '),
      known(values.number('difference'), (value) => signed(value, format)),
      formatInterval(interval, format),
      known(values.number('effect_size'), formatEffect),
      known(values.number('p_value'), () => values.p('p_value')),
      known(values.number('p_adjusted'), () => values.p('p_adjusted')),
      significance(verdict, values),
      known(values.number('n'), String),
      known(values.number('dropped'), String),
      number('minimum_detectable'),
      known(values.number('replicates_needed'), String),
    ];
  });
  return renderTable(`Verdicts on ${verdicts[0]?.hypothesis}`, columns, rows);
}

/** A verifier of the user's returns what it likes. */
function valuesTable(verdicts: readonly Verdict[]): Content {
  const keys = [...new Set(verdicts.flatMap(({ result }) => (result.ok ? Object.keys(result.values) : [])))];
  if (keys.length === 0) return undefined;
  const rows = verdicts.map((verdict): Content[] => {
    const values = new VerdictValues(verdict);
    return [verdict.condition, verdict.metrics.join(', '), ...keys.map((key) => values.text(key))];
  });
  const columns = [
    { title: 'Condition' },
    { title: 'Metric' },
    ...keys.map((title) => ({ title, numeric: true })),
  ];
  return renderTable(`Verdicts on ${verdicts[0]?.hypothesis}`, columns, rows);
}

function significance({ result, gate }: Verdict, values: VerdictValues): string {
  if (!result.ok) return 'not judged';
  return `${values.significant ? 'yes' : 'no'}${gate === undefined ? '' : ', gate fails'}`;
}

function remarks(verdicts: readonly Verdict[]): Content {
  const lines = remarkLines(verdicts.filter(({ builtIn }) => builtIn)).map(
    ({ conditions, metrics, remarks }) =>
      html`<li>${conditions.join(', ')} on ${metrics}: ${remarks.join('; ')}</li>\n`,
  );
  return lines.length === 0 ? undefined : html`<ul class="note">\n${lines}</ul>\n`;
}

function known(value: number, format: (value: number) => string): string {
  return Number.isNaN(value) ? '' : format(value);
}
