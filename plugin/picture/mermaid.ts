import type { Picture, PictureNode } from './model.ts';

/** A picture as a Mermaid flowchart, which GitHub and GitLab show in Markdown. */
export function renderMermaid({ nodes, edges }: Picture): string {
  const ids = new Map(nodes.map(({ name }, i) => [name, `n${i}`]));
  const treated = nodes.filter((node) => node.treated).map(({ name }) => ids.get(name));
  return [
    'graph LR',
    ...nodes.map((node) => `  ${ids.get(node.name)}["${labelOf(node)}"]`),
    ...edges.map(({ from, to, outputs, swapped }) => {
      const label = escapeText(outputs.join(', '));
      return `  ${ids.get(from)} ${swapped ? '-.->' : '-->'}|"${label}"| ${ids.get(to)}`;
    }),
    ...(treated.length === 0
      ? []
      : [
          '  classDef treated fill:#fde68a,stroke:#b45309,color:#1f2937',
          `  class ${treated.join(',')} treated`,
        ]),
    '',
  ].join('\n');
}

function labelOf({ icon, name, condition }: PictureNode): string {
  const title = escapeText(`${icon} ${name}`);
  return condition === undefined ? title : `${title}<br/>${escapeText(condition)}`;
}

/** Mermaid reads HTML entities with # in the place of &, also in quotation marks. */
function escapeText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')
    .replace(/[#&<>"'`\\|[\](){};]/g, (sign) => `#${sign.codePointAt(0)};`);
}
