import { isMap, isNode, isScalar, type Pair, parseDocument, stringify, type YAMLMap } from 'yaml';

/**
 * Adds `name: value` to a mapping at the top of a YAML text. Every other byte stays as it is.
 *
 * @param section key of the mapping, which is made when it is missing
 */
export function insertEntry(text: string, section: string, name: string, value: object): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const document = parseDocument(text);
  const root = document.contents;
  const entry = `${flow(name)}: ${flow(value)}`;
  const pair = isMap(root) ? pairOf(root, section) : undefined;
  if (pair === undefined) {
    const end = text === '' || text.endsWith('\n') ? '' : newline;
    return `${text}${end}${section}:${newline}  ${entry}${newline}`;
  }
  const mapping = pair.value;
  if (!isMap(mapping) || mapping.items.length === 0) return intoEmpty(text, pair, entry, newline);
  const map = mapping as YAMLMap;
  return map.flow ? intoFlow(text, map, entry) : intoBlock(text, map, entry, newline);
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

/** `treatments:` or `treatments: {}`: the entry goes to a line of its own. */
function intoEmpty(text: string, pair: Pair, entry: string, newline: string): string {
  const key = rangeOf(pair.key);
  const value = rangeOf(pair.value);
  const colon = text.indexOf(':', key.end) + 1;
  const [from, to] = value.end > value.start ? [value.start, value.end] : [colon, colon];
  const indent = ' '.repeat(columnOf(text, key.start) + 2);
  const rest = text.slice(to);
  const lineEnd = rest.search(/\r?\n|$/);
  const before = text.slice(0, from).trimEnd();
  return `${before}${rest.slice(0, lineEnd)}${newline}${indent}${entry}${rest.slice(lineEnd)}`;
}

/** `{ a: 1 }`: before the closing bracket. */
function intoFlow(text: string, map: YAMLMap, entry: string): string {
  const close = text.lastIndexOf('}', rangeOf(map).end - 1);
  const before = text.slice(0, close);
  const content = before.trimEnd();
  const space = before.slice(content.length);
  return `${content}${content.endsWith(',') ? ' ' : ', '}${entry}${space}${text.slice(close)}`;
}

/** After the line on which the last entry ends. */
function intoBlock(text: string, map: YAMLMap, entry: string, newline: string): string {
  const last = map.items.at(-1);
  const end = Math.max(rangeOf(last?.key).end, rangeOf(last?.value).end);
  const content = text.slice(0, end).trimEnd().length;
  const lineEnd = text.slice(content).search(/\r?\n|$/) + content;
  const indent = ' '.repeat(columnOf(text, rangeOf(map.items[0]?.key).start));
  return `${text.slice(0, lineEnd)}${newline}${indent}${entry}${text.slice(lineEnd)}`;
}

/** Offsets of a node; none for what is not there. */
function rangeOf(node: unknown): { readonly start: number; readonly end: number } {
  const [start = 0, end = 0] = isNode(node) ? (node.range ?? []) : [];
  return { start, end };
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** On one line. */
function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trim();
}
