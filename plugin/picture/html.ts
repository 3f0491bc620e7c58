import { escapeXml } from './look.ts';
import type { Picture } from './model.ts';

/** In points. A wider drawing would be too small to read when it is fitted to the page. */
const MAX_FITTED_WIDTH = 1800;

/**
 * One self-contained page around a drawing.
 *
 * @param svg as Graphviz draws it
 */
export function renderHtml(svg: string, { treatment, nodes, edges }: Picture): string {
  const title = treatment === undefined ? 'Experiments' : `Experiments under ${treatment}`;
  const drawing = svg.slice(svg.indexOf('<svg'));
  const reads = (name: string): string =>
    edges
      .filter(({ to }) => to === name)
      .map(({ from, outputs }) => outputs.map((output) => `${from}#${output}`).join(', '))
      .join(', ');
  const heads = [
    'experiment',
    ...(treatment === undefined ? [] : ['condition']),
    'replicates',
    'reads',
    'description',
  ];
  const rows = nodes.map(({ name, condition, replicates, description = '' }) => {
    const cells = [
      name,
      ...(condition === undefined ? [] : [condition]),
      String(replicates),
      reads(name),
      description,
    ];
    return `<tr>${cells.map((cell) => `<td>${escapeXml(cell)}</td>`).join('')}</tr>`;
  });
  const width = Number(/<svg width="(\d+)pt"/.exec(drawing)?.[1]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 1.5rem; background: light-dark(#fff, #111827); color: light-dark(#1f2937, #e5e7eb); }
.drawing { overflow: auto; padding: 1rem 0; }
.drawing.fits svg { max-width: 100%; height: auto; }
.drawing .edge text { fill: light-dark(#4b5563, #d1d5db); }
.drawing .edge path, .drawing .edge polygon { stroke: light-dark(#6b7280, #9ca3af); }
.drawing .cluster text, .drawing .graph > text { fill: light-dark(#4b5563, #d1d5db); }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid light-dark(#e5e7eb, #374151); vertical-align: top; }
.wide { overflow-x: auto; }
</style>
</head>
<body>
<main>
<h1>${escapeXml(title)}</h1>
<div class="drawing${width <= MAX_FITTED_WIDTH ? ' fits' : ''}" role="img" tabindex="0" aria-label="${escapeXml(`${title}: ${nodes.length} experiments, also listed in the table below`)}">
${drawing}
</div>
<div class="wide" tabindex="0" role="region" aria-label="Table of the experiments">
<table>
<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</div>
</main>
</body>
</html>
`;
}
