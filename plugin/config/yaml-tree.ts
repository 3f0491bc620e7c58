import type { Alias, CST, Document, Node, Pair } from 'yaml';
import type { Diagnostic, DiagnosticCode, Result, Span } from '../base/diagnostics.ts';
import {
  FORBIDDEN_KEYS,
  isWrittenAsFloat,
  keyText,
  type LocatedEntry,
  type LocatedNode,
  MAX_DEPTH,
} from './located-node.ts';
import { readFast } from './yaml-fast.ts';
import { yaml } from './yaml-library.ts';
import { yamlProblems } from './yaml-problems.ts';

const MAX_LENGTH = 64 * 1024;
const MAX_NODES = 50_000;

/** Reads YAML into a tree of located values; never throws on any text. */
export function parseYamlTree(file: string, text: string): Result<LocatedNode> {
  const start: Span = { file, start: 0, end: 0 };
  if (text.length > MAX_LENGTH) {
    return failed(
      'config/too-large',
      start,
      `The file has ${text.length} characters; a configuration has at most ${MAX_LENGTH}.`,
      'Move data into files of its own and declare them under "inputs".',
    );
  }
  const bad = text.search(/[\0\ufffd]/);
  if (bad >= 0) {
    return failed(
      'config/not-text',
      { file, start: bad, end: bad + 1 },
      'The file is not UTF-8 text.',
      'Save it as YAML in UTF-8.',
    );
  }
  const usual = readFast(file, text);
  return usual === undefined ? readAll(file, text) : { ok: true, value: usual };
}

/** Reads also what is rare, and says what is wrong. For texts of a length that `parseYamlTree` allows. */
export function readAll(file: string, text: string): Result<LocatedNode> {
  const tokens = [...new (yaml().Parser)().parse(text)];
  const tooDeep = tokens.map(nestingExcess).find((offset) => offset !== undefined);
  if (tooDeep !== undefined) {
    return failed(
      'config/too-large',
      { file, start: tooDeep, end: tooDeep + 1 },
      `Values are nested more than ${MAX_DEPTH} levels deep.`,
      'Flatten the value, or move it into a file of its own.',
    );
  }
  const document = compose(tokens, text.length);
  const problems = yamlProblems(file, text, document);
  if (problems.length > 0) return { ok: false, diagnostics: problems };
  const targets = text.includes('*') ? aliasTargets(document) : new Map();
  const builder = new TreeBuilder(file, targets);
  const tree = builder.build(document.contents);
  return builder.diagnostics.length > 0
    ? { ok: false, diagnostics: builder.diagnostics }
    : { ok: true, value: tree };
}

/** What each alias stands for: the last anchor of its name before it. In one pass, where the library makes one each. */
function aliasTargets(document: Document.Parsed): Map<Alias, Node | undefined> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  yaml().visit(document, {
    Node: (_key, node) => {
      if (yaml().isAlias(node)) targets.set(node, anchors.get(node.source));
      else if ('anchor' in node && node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** The parser gives a plain `<<` as a symbol, so that it differs from one in quotation marks. */
function isMergeKey(value: unknown): boolean {
  return typeof value === 'symbol' && value.description === '<<';
}

class TreeBuilder {
  readonly diagnostics: Diagnostic[] = [];
  private nodes = 0;
  /** The outermost alias that is being followed: that is where an author can do something. */
  private alias: Span | undefined;

  constructor(
    private readonly file: string,
    private readonly targets: ReadonlyMap<Alias, Node | undefined>,
  ) {}

  /** @param fallback where a value is missing that its key announces */
  build(node: unknown, depth = 0, fallback?: Span): LocatedNode {
    const at = this.span(node, fallback);
    const nothing: LocatedNode = { kind: 'scalar', value: null, at };
    if (++this.nodes > MAX_NODES || depth > MAX_DEPTH) {
      if (this.nodes < Number.POSITIVE_INFINITY) {
        this.report(
          'config/too-many-aliases',
          this.alias ?? at,
          depth > MAX_DEPTH
            ? `The aliases nest values more than ${MAX_DEPTH} levels deep.`
            : `The file expands to more than ${MAX_NODES} values.`,
          'Write the values out with fewer aliases, or move them into a file of their own.',
        );
      }
      this.nodes = Number.POSITIVE_INFINITY; // whatever follows is cut off, and not reported again
      return nothing;
    }
    if (yaml().isAlias(node)) return this.follow(node, depth, at) ?? nothing;
    if (yaml().isMap(node)) return { kind: 'mapping', entries: this.entries(node.items, depth), at };
    if (yaml().isSeq(node))
      return { kind: 'list', items: node.items.map((item) => this.build(item, depth + 1, at)), at };
    if (yaml().isScalar(node)) {
      const value = this.scalar(node.value, at);
      const isFloat = node.type === 'PLAIN' && isWrittenAsFloat(node.source ?? '', value);
      return { kind: 'scalar', value, at, ...(isFloat ? { isFloat } : {}) };
    }
    return nothing;
  }

  private follow(alias: Alias, depth: number, at: Span): LocatedNode | undefined {
    const target = this.targets.get(alias);
    if (target === undefined) {
      this.report(
        'config/yaml-syntax',
        at,
        `The alias "*${alias.source}" has no anchor "&${alias.source}" above it.`,
        'Add the anchor, or put text that begins with "*" in quotation marks.',
      );
      return undefined;
    }
    const outermost = this.alias === undefined;
    this.alias ??= at;
    const built = this.build(target, depth + 1, at);
    if (outermost) this.alias = undefined;
    return built;
  }

  private entries(pairs: readonly Pair[], depth: number): LocatedEntry[] {
    const own: LocatedEntry[] = [];
    const merged: LocatedEntry[] = [];
    const seen = new Map<string, Span>();
    for (const pair of pairs) {
      if (!yaml().isPair(pair)) continue;
      const keyAt = this.span(pair.key, this.span(pair.value));
      if (!yaml().isScalar(pair.key)) {
        this.report('config/invalid-type', keyAt, 'A key must be a plain name.', 'Use text as the key.');
        continue;
      }
      if (isMergeKey(pair.key.value)) {
        merged.push(...this.merge(pair.value, depth));
        continue;
      }
      const { value, source } = pair.key;
      const key = keyText(value, source ?? String(value));
      if (FORBIDDEN_KEYS.has(key)) {
        this.report(
          'config/forbidden-key',
          keyAt,
          `The key "${key}" is not allowed.`,
          'Choose another name.',
        );
        continue;
      }
      const first = seen.get(key);
      if (first !== undefined) {
        this.diagnostics.push({
          severity: 'error',
          code: 'config/duplicate-key',
          message: `The key "${key}" stands here a second time.`,
          remedy: 'Keep one of the two.',
          at: keyAt,
          related: [{ message: 'It stands here first.', at: first }],
        });
        continue;
      }
      seen.set(key, keyAt);
      own.push({ key, keyAt, value: this.build(pair.value, depth + 1, keyAt) });
    }
    // The first of what is merged wins, and what the mapping itself says wins over that.
    const inherited = new Map(merged.reverse().map((entry) => [entry.key, entry]));
    return [...[...inherited.values()].reverse().filter((entry) => !seen.has(entry.key)), ...own];
  }

  private merge(value: unknown, depth: number): LocatedEntry[] {
    const node = this.build(value, depth + 1);
    const parts = node.kind === 'list' ? node.items : [node];
    return parts.flatMap((part) => {
      if (part.kind === 'mapping') return part.entries;
      this.report(
        'config/invalid-type',
        part.at,
        'Only a mapping, or a list of mappings, can be merged with "<<".',
        'Give it the alias of a mapping.',
      );
      return [];
    });
  }

  private scalar(value: unknown, at: Span): string | number | boolean | null {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      this.report(
        'config/invalid-value',
        at,
        'This integer is too large to be kept exactly.',
        'Put it in quotation marks, or use a smaller one.',
      );
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      this.report(
        'config/invalid-value',
        at,
        'Not-a-number and infinity cannot be passed to a step.',
        'Use a finite number, or text.',
      );
    }
    if (
      value === null ||
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'boolean'
    )
      return value;
    return value === undefined ? null : String(value);
  }

  private span(node: unknown, fallback?: Span): Span {
    const range = (node as Node | null | undefined)?.range;
    return range
      ? { file: this.file, start: range[0], end: range[1] }
      : (fallback ?? { file: this.file, start: 0, end: 0 });
  }

  private report(code: DiagnosticCode, at: Span, message: string, remedy: string): void {
    this.diagnostics.push({ severity: 'error', code, message, remedy, at });
  }
}

function compose(tokens: readonly CST.Token[], length: number): Document.Parsed {
  const composer = new (yaml().Composer)({
    prettyErrors: false,
    uniqueKeys: false,
    merge: true,
    // Dates, sets and bytes are none of the values that a configuration has: a date would become text in the time zone of the machine.
    resolveKnownTags: false,
  });
  const [document, second] = composer.compose(tokens, true, length);
  if (document === undefined) throw new Error('Bug: the composer gave no document');
  if (second !== undefined) {
    const at: [number, number] = [second.range[0], second.range[0] + 3];
    document.errors.push(new (yaml().YAMLParseError)(at, 'MULTIPLE_DOCS', 'A second document'));
  }
  return document;
}

/**
 * The offset of the first collection beyond the depth limit. The composer recurses, and a stack that overflows in it
 * can end the whole process; the parser before it and this walk do not recurse.
 */
function nestingExcess(token: CST.Token): number | undefined {
  const open: { readonly token: CST.Token; readonly depth: number }[] = [{ token, depth: 0 }];
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    if (top.depth > MAX_DEPTH) return top.token.offset;
    if (top.token.type === 'document' && top.token.value)
      open.push({ token: top.token.value, depth: top.depth });
    if (!('items' in top.token)) continue;
    for (const { key, value } of top.token.items) {
      if (key) open.push({ token: key, depth: top.depth + 1 });
      if (value) open.push({ token: value, depth: top.depth + 1 });
    }
  }
  return undefined;
}

function failed(code: DiagnosticCode, at: Span, message: string, remedy: string): Result<never> {
  return { ok: false, diagnostics: [{ severity: 'error', code, message, remedy, at }] };
}
