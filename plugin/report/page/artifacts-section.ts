import type { Dossier, DossierArtifact } from '../dossier.ts';
import { count, formatBytes } from '../numbers.ts';
import { type Content, html, relativeHref, renderSection, renderTable } from './html.ts';

/** The rest is counted: a page with ten thousand links helps nobody. */
const MOST_ROWS = 300;
const DIGITS = 12;

/** Every artifact with its size, digest and link; images shown. */
export function artifactsSection({ artifacts }: Dossier): Content {
  if (artifacts.length === 0) return undefined;
  const bytes = artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0);
  return renderSection('artifacts', 'Artifacts', [
    html`<p>${count(artifacts.length, 'artifact')}, ${formatBytes(bytes)}.</p>\n`,
    images(artifacts),
    ...folded(artifacts),
  ]);
}

function images(artifacts: readonly DossierArtifact[]): Content {
  const shown = artifacts.filter(
    ({ image }) => image !== undefined && /^data:image\/[a-z+]+;base64,[A-Za-z0-9+/=]+$/.test(image),
  );
  if (shown.length === 0) return undefined;
  return html`<div class="images">
${shown.map(
  ({ image, condition, replicate, output, path }) => html`<figure>
<a href="${relativeHref(path)}"><img src="${image}" alt="${output} of ${condition}, replicate ${replicate}"></a>
<figcaption>${output}, ${condition}, replicate ${replicate}</figcaption>
</figure>
`,
)}</div>
`;
}

/** Conditions share the rows that are listed evenly. */
function folded(artifacts: readonly DossierArtifact[]): Content[] {
  const groups = new Map<string, DossierArtifact[]>();
  for (const artifact of artifacts) {
    const group = groups.get(artifact.condition);
    if (group === undefined) groups.set(artifact.condition, [artifact]);
    else group.push(artifact);
  }
  const most = Math.max(1, Math.floor(MOST_ROWS / groups.size));
  return [...groups].map(([condition, all]) => {
    const listed = all.slice(0, most);
    const rest = all.length - listed.length;
    return html`<details><summary>${condition}: ${count(all.length, 'artifact')}, ${formatBytes(all.reduce((sum, { bytes }) => sum + bytes, 0))}</summary>
${renderTable(
  `Artifacts of ${condition}`,
  [
    { title: 'File' },
    { title: 'Output' },
    { title: 'Replicate', numeric: true },
    { title: 'Size', numeric: true },
    { title: 'SHA-256' },
  ],
  listed.map(({ path, output, replicate, bytes, sha256 }) => [
    html`<a href="${relativeHref(path)}">${path.split('/').at(-1)}</a>`,
    output,
    replicate,
    formatBytes(bytes),
    html`<code title="${sha256}">${sha256.slice(0, DIGITS)}</code>`,
  ]),
)}${rest === 0 ? undefined : html`<p class="note">${count(rest, 'more artifact')} in <a href="${relativeHref(`${condition}/artifacts`)}">${condition}/artifacts</a>; <code>${condition}/metrics.json</code> has all digests.</p>\n`}</details>
`;
  });
}
