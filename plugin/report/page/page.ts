import type { Dossier } from '../dossier.ts';
import type { ReportModel } from '../model.ts';
import { count } from '../numbers.ts';
import { verdictSentence } from '../verdict-sentence.ts';
import { artifactsSection } from './artifacts-section.ts';
import { conditionsSection } from './conditions-section.ts';
import { chartDrawer } from './draw.ts';
import { failuresSection } from './failures-section.ts';
import { type Content, Html, html } from './html.ts';
import { hypothesesSection } from './hypotheses-section.ts';
import { metricsSection } from './metrics-section.ts';
import { provenanceSection } from './provenance-section.ts';
import { STYLE } from './style.ts';
import { upstreamSection } from './upstream-section.ts';

/** Nothing runs and nothing is fetched, whatever a name in the page may hold. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** Text of report/report.html: one file that needs nothing else. The same dossier gives the same bytes. */
export async function renderPage(dossier: Dossier): Promise<string> {
  const { report } = dossier;
  const sections: readonly (readonly [id: string, title: string, content: Content])[] = [
    ['failures', 'Failures', failuresSection(dossier)],
    ['metrics', 'Metrics', await metricsSection(report, chartDrawer)],
    ['hypotheses', 'Hypotheses', hypothesesSection(report)],
    ['conditions', 'Conditions', conditionsSection(dossier)],
    ['upstream', 'Upstream', upstreamSection(dossier)],
    ['artifacts', 'Artifacts', artifactsSection(dossier)],
    ['provenance', 'Provenance', provenanceSection(dossier)],
  ];
  const shown = sections.filter(([, , content]) => content !== undefined);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${report.experiment} - results</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<header>
${heading(report)}<p class="verdict${hasTrouble(report) ? ' trouble' : ''}">${verdictSentence(report)}</p>
<p class="facts">${facts(dossier)}</p>
<nav aria-label="Sections">${shown.map(([id, title]) => html`<a href="#${id}">${title}</a> `)}</nav>
</header>
${shown.map(([, , content]) => content)}</main>
</body>
</html>
`.text;
}

/** The question, where the experiment asks one. */
function heading({ experiment, description }: ReportModel): Html {
  return description === undefined || description.trim() === ''
    ? html`<h1>${experiment}</h1>\n`
    : html`<p class="eyebrow">${experiment}</p>\n<h1>${description}</h1>\n`;
}

function hasTrouble({ conditions, missing, verdicts }: ReportModel): boolean {
  return (
    missing.length > 0 ||
    conditions.some(({ failed }) => failed.length > 0) ||
    verdicts.some(({ gate, result }) => gate !== undefined || !result.ok)
  );
}

function facts({ report: { conditions, metrics }, artifacts }: Dossier): string {
  const replicates = conditions.map(({ finished, failed }) => finished + failed.length);
  const [least, most] = [Math.min(...replicates), Math.max(...replicates)];
  const failed = conditions.reduce((sum, condition) => sum + condition.failed.length, 0);
  return [
    count(conditions.length, 'condition'),
    ...(conditions.length === 0
      ? []
      : [
          `${least === most ? count(most, 'replicate') : `${least} to ${most} replicates`}${conditions.length > 1 ? ' each' : ''}`,
        ]),
    count(new Set(metrics.map(({ metric }) => metric)).size, 'metric'),
    ...(artifacts.length > 0 ? [count(artifacts.length, 'artifact')] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(' · ');
}
