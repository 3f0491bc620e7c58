import type { Dossier } from '../dossier.ts';
import type { ConditionSummary } from '../model.ts';
import { count } from '../numbers.ts';
import { type Content, html, renderSection } from './html.ts';

/** Of each condition, the first failures are told in full. */
const MOST_TOLD = 20;

/** What went wrong: replicates that failed, and conditions without results. */
export function failuresSection(dossier: Dossier): Content {
  const { conditions, missing } = dossier.report;
  const failed = conditions.filter((condition) => condition.failed.length > 0);
  if (failed.length === 0 && missing.length === 0) return undefined;
  return renderSection('failures', 'Failures', [
    ...missing.map(
      ({ condition, reason }) =>
        html`<p class="alert"><strong>${condition}</strong> has no results: ${reason}</p>\n`,
    ),
    ...failed.map((condition) => conditionBlock(condition, dossier)),
  ]);
}

function conditionBlock({ condition, finished, failed }: ConditionSummary, { logs }: Dossier): Content {
  const logged = new Map(logs.get(condition)?.failures.map((failure) => [failure.replicate, failure]));
  const told = failed.slice(0, MOST_TOLD).map(({ replicate, seed, reason }) => {
    const stack = logged.get(replicate)?.stack;
    return html`<li><p>Replicate ${replicate} (seed ${seed}): ${reason}</p>
${stack === undefined || stack === '' ? undefined : html`<pre tabindex="0" aria-label="Stack of replicate ${replicate}">${stack}</pre>\n`}</li>
`;
  });
  const rest = failed.length - told.length;
  return html`<article>
<h3>${condition}: ${failed.length} of ${count(failed.length + finished, 'replicate')} failed</h3>
<ul class="failures">
${told}</ul>
${rest === 0 ? undefined : html`<p class="note">${rest} more in <code>${condition}/run.jsonl</code>.</p>\n`}</article>
`;
}
