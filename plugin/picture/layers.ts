import { clip, escapeXml, FAINT, FONT, factsOf, fillOf, INK, LINE } from './look.ts';
import type { Picture, PictureEdge, PictureNode } from './model.ts';

/** In pixels. */
const BOX_HEIGHT = 46;
const BEND_HEIGHT = 14;
const ROW_GAP = 18;
const MARGIN = 8;
const LEAST_COLUMN_GAP = 56;
const CHARACTER = 7.3;
const SMALL_CHARACTER = 5.8;
const MAX_LABEL = 40;

/** Passes that put what belongs together at the same height. */
const SWEEPS = 4;

/** A box, or a place at which an edge that skips a column passes it. */
interface Cell {
  readonly node: PictureNode | undefined;
  readonly column: number;
  readonly before: Cell[];
  readonly after: Cell[];
  y: number;
}

interface Route {
  readonly edge: PictureEdge;
  readonly cells: readonly Cell[];
}

/**
 * A small picture as an SVG, without loading Graphviz: in columns from left to right, each experiment right of all that it
 * reads. Deterministic; does without frames around groups.
 */
export function drawLayers({ nodes, edges }: Picture): string {
  const { columns, routes } = arrange(nodes, edges);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const forwards = sweep % 2 === 0;
    for (const column of forwards ? columns : [...columns].reverse()) order(column, forwards);
  }
  const height = Math.max(...columns.map(heightOf));
  for (const column of columns) place(column, (height - heightOf(column)) / 2);
  const widths = columns.map((column) => Math.max(...column.map(widthOf)));
  const lefts: number[] = [];
  let right = MARGIN;
  for (const [i, width] of widths.entries()) {
    lefts.push(right);
    right += width + (i < widths.length - 1 ? gapAfter(i, routes) : MARGIN);
  }
  const at = (column: number): { left: number; width: number } => ({
    left: lefts[column] ?? 0,
    width: widths[column] ?? 0,
  });
  const size = [Math.ceil(right), Math.ceil(height + 2 * MARGIN)] as const;
  return [
    `<svg width="${size[0]}" height="${size[1]}" viewBox="0 0 ${size.join(' ')}" xmlns="http://www.w3.org/2000/svg" font-family="${FONT}">`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="${FAINT}"/></marker></defs>`,
    ...routes.map((route) => drawRoute(route, at)),
    ...columns.flat().flatMap((cell) => (cell.node ? [drawBox(cell, cell.node, at(cell.column))] : [])),
    '</svg>',
    '',
  ].join('\n');
}

function arrange(
  nodes: readonly PictureNode[],
  edges: readonly PictureEdge[],
): { columns: Cell[][]; routes: Route[] } {
  const ranks = new Map<string, number>();
  // Upstream comes before downstream.
  for (const { name } of nodes) {
    const above = edges.filter(({ to }) => to === name).map(({ from }) => ranks.get(from) ?? 0);
    ranks.set(name, above.length === 0 ? 0 : Math.max(...above) + 1);
  }
  const columns: Cell[][] = Array.from({ length: Math.max(0, ...ranks.values()) + 1 }, () => []);
  const add = (node: PictureNode | undefined, column: number): Cell => {
    const cell: Cell = { node, column, before: [], after: [], y: columns[column]?.length ?? 0 };
    columns[column]?.push(cell);
    return cell;
  };
  const boxes = new Map(nodes.map((node) => [node.name, add(node, ranks.get(node.name) ?? 0)]));
  const routes = edges.flatMap((edge): Route[] => {
    const [from, to] = [boxes.get(edge.from), boxes.get(edge.to)];
    if (from === undefined || to === undefined) return [];
    const bends = Array.from({ length: to.column - from.column - 1 }, (_, i) =>
      add(undefined, from.column + 1 + i),
    );
    const cells = [from, ...bends, to];
    for (const [i, cell] of cells.entries()) {
      const next = cells[i + 1];
      if (next === undefined) continue;
      cell.after.push(next);
      next.before.push(cell);
    }
    return [{ edge, cells }];
  });
  return { columns, routes };
}

/** Sorts a column by the mean height of its neighbours, and numbers its cells. */
function order(column: Cell[], forwards: boolean): void {
  const wish = new Map(
    column.map((cell) => {
      const neighbours = forwards ? cell.before : cell.after;
      const sum = neighbours.reduce((total, { y }) => total + y, 0);
      return [cell, neighbours.length === 0 ? cell.y : sum / neighbours.length] as const;
    }),
  );
  column.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
  for (const [i, cell] of column.entries()) cell.y = i - (column.length - 1) / 2;
}

/** Gives the cells of a column the heights of their middles. */
function place(column: readonly Cell[], top: number): void {
  let y = MARGIN + top;
  for (const cell of column) {
    const height = cell.node ? BOX_HEIGHT : BEND_HEIGHT;
    cell.y = y + height / 2;
    y += height + ROW_GAP;
  }
}

function heightOf(column: readonly Cell[]): number {
  const cells = column.reduce((sum, { node }) => sum + (node ? BOX_HEIGHT : BEND_HEIGHT), 0);
  return cells + (column.length - 1) * ROW_GAP;
}

function widthOf({ node }: Cell): number {
  if (node === undefined) return 0;
  return Math.max(textWidth(titleOf(node), CHARACTER), textWidth(factsOf(node), SMALL_CHARACTER)) + 28;
}

/** Emoji and the signs of East Asia are about twice as wide. */
function textWidth(text: string, character: number): number {
  let width = 0;
  for (const sign of text) width += (sign.codePointAt(0) ?? 0) > 0x1100 ? 2 * character : character;
  return width;
}

/** Room for what is written on the edges that leave a column. */
function gapAfter(column: number, routes: readonly Route[]): number {
  const labels = routes.flatMap(({ edge, cells }) => (cells[0]?.column === column ? [labelOf(edge)] : []));
  return Math.max(LEAST_COLUMN_GAP, ...labels.map((label) => textWidth(label, SMALL_CHARACTER) + 40));
}

function titleOf({ icon, name }: PictureNode): string {
  return `${icon} ${clip(name, MAX_LABEL)}`;
}

function labelOf({ outputs }: PictureEdge): string {
  return clip(outputs.join(', '), MAX_LABEL);
}

type At = (column: number) => { readonly left: number; readonly width: number };

function drawRoute({ edge, cells }: Route, at: At): string {
  const parts: string[] = [];
  let label = '';
  for (const [i, cell] of cells.entries()) {
    const next = cells[i + 1];
    if (next === undefined) break;
    const { left, width } = at(cell.column);
    const [x, end] = [left + width, at(next.column).left];
    if (i === 0) {
      parts.push(`M${round(x)} ${round(cell.y)}`);
      const [labelX, labelY] = [(x + end) / 2 - 6, cell.y + 0.4 * (next.y - cell.y) - 4];
      label = `<text x="${round(labelX)}" y="${round(labelY)}" text-anchor="middle" font-size="10" fill="${FAINT}">${escapeXml(labelOf(edge))}</text>`;
    } else parts.push(`H${round(x)}`);
    const bow = (end - x) / 2;
    parts.push(
      `C${[round(x + bow), round(cell.y), round(end - bow), round(next.y), round(end), round(next.y)].join(' ')}`,
    );
  }
  const dashes = edge.swapped ? ' stroke-dasharray="4 3"' : '';
  return `<path d="${parts.join('')}" fill="none" stroke="${FAINT}"${dashes} marker-end="url(#tip)"/>${label}`;
}

/** The boxes of a column are equally wide: no edge runs behind the next one. */
function drawBox(cell: Cell, node: PictureNode, { left, width }: ReturnType<At>): string {
  const [top, middle] = [cell.y - BOX_HEIGHT / 2, round(left + width / 2)];
  const border =
    node.color === undefined ? `stroke="${LINE}"` : `stroke="${escapeXml(node.color)}" stroke-width="2.5"`;
  return [
    `<rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${BOX_HEIGHT}" rx="8" fill="${fillOf(node)}" ${border}/>`,
    `<text x="${middle}" y="${round(top + 20)}" text-anchor="middle" font-size="12" fill="${INK}">${escapeXml(titleOf(node))}</text>`,
    `<text x="${middle}" y="${round(top + 35)}" text-anchor="middle" font-size="10" fill="${FAINT}">${escapeXml(factsOf(node))}</text>`,
  ].join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
