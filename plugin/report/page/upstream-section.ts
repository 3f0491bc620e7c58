import type { Dossier, UpstreamExperiment } from '../dossier.ts';
import { type Content, html, renderSection, renderTable } from './html.ts';

/** The experiments that are read, as a picture and as a table: each with the condition at which it was read. */
export function upstreamSection({ report, upstream, graphSvg }: Dossier): Content {
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
    table,
    html`<p class="note">The condition at which each experiment was read, and its parameters there that are not those of its baseline here.</p>\n`,
  ]);
}

function readAt({ conditions, parameters }: UpstreamExperiment, condition: string): Content {
  const at = Object.hasOwn(conditions, condition) ? conditions[condition] : undefined;
  if (at === undefined) return 'not read';
  const usual = Object.hasOwn(parameters, 'baseline') ? parameters.baseline : undefined;
  const own = Object.hasOwn(parameters, condition) ? (parameters[condition] ?? {}) : {};
  const differing = Object.entries(own).filter(
    ([name, value]) => usual !== undefined && JSON.stringify(value) !== JSON.stringify(usual[name]),
  );
  const values = differing.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ');
  return at === 'baseline'
    ? at
    : html`<mark>${at}</mark>${values === '' ? undefined : html` <small>${values}</small>`}`;
}

/** As an image: whatever the names in it are, nothing of it is part of the page. */
function picture(svg: string | undefined): Content {
  if (svg === undefined) return undefined;
  const text = svg.slice(Math.max(0, svg.indexOf('<svg')));
  const [, width, height] = /<svg width="(\d+)pt" height="(\d+)pt"/.exec(text) ?? [];
  const size = width === undefined ? undefined : html` width="${width}" height="${height}"`;
  return html`<div class="wide graph" role="region" tabindex="0" aria-label="Graph of the experiments upstream"><img src="data:image/svg+xml;base64,${Buffer.from(text).toString('base64')}" alt="Graph of the experiments that are read, also listed in the table below"${size}></div>\n`;
}
