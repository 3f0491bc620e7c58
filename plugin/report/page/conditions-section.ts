import { BASELINE } from '../../base/names.ts';
import type { Dossier } from '../dossier.ts';
import { type Setting, settingsOf } from '../settings.ts';
import { type Content, html, renderSection, renderTable } from './html.ts';

/** What each condition computes with; what differs from the baseline is marked, by a sign as well as by colour. */
export function conditionsSection({ report, steps }: Dossier): Content {
  const { conditions } = report;
  const settings = settingsOf(conditions);
  const names = conditions.map(({ condition }) => condition);
  // A condition that is missing has no settings, and the first one is then no baseline.
  const reference = names.indexOf(BASELINE);
  const differing = settings.filter(({ differs }) => differs).length;
  const table =
    settings.length === 0
      ? html`<p>No parameters.</p>\n`
      : html`${renderTable(
          'Parameters by condition',
          [{ title: 'Parameter' }, ...names.map((title) => ({ title }))],
          settings.map((setting) => [setting.name, ...cellsOf(setting, reference)]),
        )}<p class="note">${differing === 0 ? 'The same in all conditions here; what differs is upstream.' : html`<mark><span aria-hidden="true">≠</span> differs</mark> from the baseline.`}</p>
`;
  return renderSection('conditions', 'Conditions', [table, stepList(steps)]);
}

function cellsOf({ values }: Setting, reference: number): Content[] {
  const usual = values[reference];
  return values.map((value, i) => {
    const text = value ?? '—';
    if (reference === -1 || i === reference || value === usual) return text;
    return html`<mark><span aria-hidden="true">≠ </span><span class="hidden">differs: </span>${text}</mark>`;
  });
}

function stepList(steps: readonly string[]): Content {
  if (steps.length === 0) return undefined;
  return html`<p class="note">Steps: ${steps.map((step, i) => html`${i === 0 ? '' : ' → '}<code>${step}</code>`)}</p>\n`;
}
