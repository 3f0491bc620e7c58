import { clip, FAINT, FONT, factsOf, fillOf, INK, LINE } from './look.ts';
import type { Picture, PictureEdge, PictureNode } from './model.ts';

const MAX_DESCRIPTION = 60;

/**
 * A picture in Graphviz's language DOT.
 *
 * @param icons emoji beside the names; without them for what has no such font
 */
export function renderDot(picture: Picture, { icons = true } = {}): string {
  const { nodes, edges, treatment } = picture;
  const groups = new Map<string | undefined, PictureNode[]>();
  for (const node of nodes) groups.set(node.group, [...(groups.get(node.group) ?? []), node]);
  const lines = [...groups].flatMap(([group, members], i) => {
    const rendered = members.map((node) => `  ${renderNode(node, icons)}`);
    if (group === undefined) return rendered;
    const label = `label=${quote(group)} fontcolor=${quote(FAINT)} color=${quote(LINE)} style="rounded,dashed"`;
    return [
      `  subgraph ${quote(`cluster_${i}`)} {`,
      `    graph [${label}];`,
      ...rendered.map((line) => `  ${line}`),
      '  }',
    ];
  });
  const title = treatment === undefined ? [] : [`label=${quote(`under ${treatment}`)}`, 'labelloc=t'];
  return [
    'digraph experiments {',
    `  graph [${['rankdir=LR', 'bgcolor=transparent', `fontname=${quote(FONT)}`, 'nodesep=0.35', 'ranksep=0.7', ...title].join(' ')}];`,
    `  node [shape=box style="rounded,filled" fontname=${quote(FONT)} fontsize=12 margin="0.25,0.12" color=${quote(LINE)} fontcolor=${quote(INK)}];`,
    `  edge [fontname=${quote(FONT)} fontsize=10 color=${quote(FAINT)} fontcolor=${quote(FAINT)} arrowsize=0.7];`,
    ...lines,
    ...edges.map((edge) => `  ${renderEdge(edge)}`),
    '}',
    '',
  ].join('\n');
}

function renderNode(node: PictureNode, icons: boolean): string {
  const { name, icon, description, color } = node;
  const title = icons ? `${icon} ${name}` : name;
  const border = color === undefined ? [] : [`color=${quote(color)}`, 'penwidth=2.5'];
  const label = [title, factsOf(node)].map(escapeLabel).join('\\n');
  const tooltip = clip(description ?? name, MAX_DESCRIPTION * 4);
  return `${quote(name)} [label="${label}" fillcolor=${quote(fillOf(node))} tooltip=${quote(tooltip)}${border.map((b) => ` ${b}`).join('')}];`;
}

function renderEdge({ from, to, outputs, swapped }: PictureEdge): string {
  const style = swapped ? ' style=dashed' : '';
  return `${quote(from)} -> ${quote(to)} [label=${quote(outputs.join(', '))}${style}];`;
}

/** A text as a string of DOT that means just that text. */
function quote(text: string): string {
  return `"${escapeLabel(text)}"`;
}

/** In a label, a backslash begins an escape. */
function escapeLabel(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('&', '&amp;');
}
