import { BASELINE } from '../../base/names.ts';
import type { Dossier, UpstreamExperiment } from '../dossier.ts';
import { count } from '../numbers.ts';
import { type Content, html, renderSection, renderTable } from './html.ts';

/** The experiments that are read, as a picture and as a table: each with the condition at which it was read. */
export function upstreamSection({ report, upstream, graphSvg, graphLeftOut }: Dossier): Content {
  if (upstream.length === 0) return undefined;
  const conditions = report.conditions.map(({ condition }) => condition);
  const table = renderTable(
    'Conditions at which upstream experiments were read',
    [{ title: 'Experiment' }, ...conditions.map((condition) => ({ title: `under ${condition}` }))],
    upstream.map((experiment) => [
      experiment.name,
      ...conditions.map((condition) => readAt(experiment, condition)),
    ]),
  );
  return renderSection('upstream', 'Upstream', [
    picture(graphSvg),
    graphLeftOut > 0
      ? html`<p class="note">${count(graphLeftOut, 'experiment')} further upstream ${graphLeftOut === 1 ? 'is' : 'are'} in the table only.</p>\n`
      : undefined,
    table,
    html`<p class="note">The condition at which each experiment was read, and its parameters there that are not those of its baseline here.</p>\n`,
  ]);
}

/** Marked where the baseline reads it at another condition, or does not read it. */
function readAt({ conditions, parameters }: UpstreamExperiment, condition: string): Content {
  const at = ownValue(conditions, condition);
  if (at === undefined) return 'not read';
  if (at === ownValue(conditions, BASELINE)) return at;
  const usual = ownValue(parameters, BASELINE);
  const differing = Object.entries(ownValue(parameters, condition) ?? {}).filter(
    ([name, value]) => usual !== undefined && JSON.stringify(value) !== JSON.stringify(usual[name]),
  );
  const values = differing.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ');
  return html`<mark><span aria-hidden="true">≠ </span><span class="hidden">differs: </span>${at}</mark>${values === '' ? undefined : html` <small>${values}</small>`}`;
}

/** A condition may be called `constructor`. */
function ownValue<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** As an image: whatever the names in it are, nothing of it is part of the page. */
function picture(svg: string | undefined): Content {
  if (svg === undefined) return undefined;
  const text = svg.slice(Math.max(0, svg.indexOf('<svg')));
  const [, width, height] = /<svg width="(\d+)" height="(\d+)"/.exec(text) ?? [];
  const size = width === undefined ? undefined : html` width="${width}" height="${height}"`;
  return html`<div class="wide graph" role="region" tabindex="0" aria-label="Graph of the experiments upstream"><img src="data:image/svg+xml;base64,${Buffer.from(text).toString('base64')}" alt="Graph of the experiments that are read, also listed in the table below"${size}></div>\n`;
}
