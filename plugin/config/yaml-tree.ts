import type { AliasEvent, Event, MappingEvent, ScalarEvent, SequenceEvent } from 'js-yaml';
import type { Diagnostic, DiagnosticCode, Result, Span } from '../base/diagnostics.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { parser } from './yaml-library.ts';
import { yamlProblems } from './yaml-problems.ts';
import { plainScalar, type Scalar, taggedScalar } from './yaml-scalars.ts';

/** A YAML value that knows where it stands. Aliases and merge keys are already followed. */
export type LocatedNode =
  | { readonly kind: 'scalar'; readonly value: Scalar; readonly at: Span }
  | { readonly kind: 'list'; readonly items: readonly LocatedNode[]; readonly at: Span }
  | { readonly kind: 'mapping'; readonly entries: readonly LocatedEntry[]; readonly at: Span };

export interface LocatedEntry {
  readonly key: string;
  readonly keyAt: Span;
  readonly value: LocatedNode;
}

const MAX_LENGTH = 64 * 1024;
const MAX_NODES = 50_000;
const MAX_DEPTH = 64;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
/** Of YAML's core schema. */
const TAGS = new Set(['str', 'null', 'bool', 'int', 'float', 'seq', 'map']);

type Collection = SequenceEvent | MappingEvent;

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
  let events: Event[];
  try {
    // It counts what stands in the innermost collection as well.
    events = parser().parseEvents(text, { maxDepth: MAX_DEPTH + 1 });
  } catch (refusal) {
    return { ok: false, diagnostics: yamlProblems(file, text, MAX_DEPTH, refusal) };
  }
  const documents = events.filter(({ type }) => type === parser().EVENT_ID.DOCUMENT);
  if (documents.length > 1) return { ok: false, diagnostics: yamlProblems(file, text, MAX_DEPTH) };
  const builder = new TreeBuilder(file, text, events);
  const tree = builder.tree();
  return builder.diagnostics.length > 0
    ? { ok: false, diagnostics: builder.diagnostics }
    : { ok: true, value: tree };
}

/** The plain value of a node. */
export function toJson(node: LocatedNode): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(toJson);
    case 'mapping':
      return mappingToJson(node.entries);
  }
}

export function mappingToJson(entries: readonly LocatedEntry[]): JsonObject {
  return Object.fromEntries(entries.map(({ key, value }) => [key, toJson(value)]));
}

/** Takes the events one after the other; each method leaves off behind what it has built. */
class TreeBuilder {
  readonly diagnostics: Diagnostic[] = [];
  private readonly ids = parser().EVENT_ID;
  private readonly styles = parser().SCALAR_STYLE;
  private readonly layouts = parser().COLLECTION_STYLE;
  private next = 0;
  /** Behind the last sign that belongs to a value. */
  private end = 0;
  /** A value that is not complete yet has none. */
  private readonly anchors = new Map<string, LocatedNode | undefined>();
  /** What stands behind aliases counts each time. */
  private copied = 0;

  constructor(
    private readonly file: string,
    private readonly text: string,
    private readonly events: readonly Event[],
  ) {}

  tree(): LocatedNode {
    const document = this.events[this.next++];
    if (document?.type !== this.ids.DOCUMENT) return this.nothing(this.span(0, 0));
    for (const directive of document.directives) {
      if (directive.kind === 'yaml' && directive.version === '1.2') continue;
      const line = directive.kind === 'tag' ? '%TAG' : `%YAML ${directive.version}`;
      const start = Math.max(0, this.text.indexOf(line.slice(0, 4)));
      this.report(
        'config/yaml-syntax',
        this.span(start, start + line.length),
        `The line "${line}" means nothing here: configurations are read as YAML 1.2.`,
        'Remove it.',
      );
    }
    return this.build(0, this.span(0, 0));
  }

  /** @param fallback where a value is missing that its key announces */
  private build(depth: number, fallback?: Span): LocatedNode {
    const event = this.events[this.next++];
    switch (event?.type) {
      case this.ids.SCALAR:
        return this.anchored(event, () => this.scalar(event, fallback));
      case this.ids.SEQUENCE:
        return this.anchored(event, () => this.list(event, depth));
      case this.ids.MAPPING:
        return this.anchored(event, () => this.mapping(event, depth));
      case this.ids.ALIAS:
        return this.follow(event, depth);
      default:
        throw new Error('Bug: the parser gave no value where one has to be');
    }
  }

  private anchored(event: ScalarEvent | Collection, build: () => LocatedNode): LocatedNode {
    if (event.anchorStart < 0) return build();
    const anchor = this.text.slice(event.anchorStart, event.anchorEnd);
    this.anchors.set(anchor, undefined);
    const node = build();
    this.anchors.set(anchor, node);
    return node;
  }

  private list(event: SequenceEvent, depth: number): LocatedNode {
    this.open(event, 'seq');
    const items: LocatedNode[] = [];
    while (!this.closes()) items.push(this.build(depth + 1));
    return { kind: 'list', items, at: this.span(event.start, this.close(event)) };
  }

  private mapping(event: MappingEvent, depth: number): LocatedNode {
    this.open(event, 'map');
    const entries = this.entries(depth);
    return { kind: 'mapping', entries, at: this.span(event.start, this.close(event)) };
  }

  private entries(depth: number): LocatedEntry[] {
    const own: LocatedEntry[] = [];
    const merged: LocatedEntry[] = [];
    const seen = new Map<string, Span>();
    while (!this.closes()) {
      const event = this.events[this.next];
      const node = this.build(depth + 1);
      const keyAt = node.at;
      if (event?.type !== this.ids.SCALAR || node.kind !== 'scalar') {
        this.report('config/invalid-type', keyAt, 'A key must be a plain name.', 'Use text as the key.');
        this.build(depth + 1, keyAt);
        continue;
      }
      if (this.isMergeKey(event)) {
        merged.push(...this.merge(this.build(depth + 1, keyAt)));
        continue;
      }
      const entry = { key: String(node.value), keyAt, value: this.build(depth + 1, keyAt) };
      if (this.isNew(entry, seen)) own.push(entry);
    }
    // The first of what is merged wins, and what the mapping itself says wins over that.
    const inherited = new Map(merged.reverse().map((entry) => [entry.key, entry]));
    return [...[...inherited.values()].reverse().filter((entry) => !seen.has(entry.key)), ...own];
  }

  private isNew({ key, keyAt }: LocatedEntry, seen: Map<string, Span>): boolean {
    const first = seen.get(key);
    if (FORBIDDEN_KEYS.has(key)) {
      this.report('config/forbidden-key', keyAt, `The key "${key}" is not allowed.`, 'Choose another name.');
      return false;
    }
    if (first !== undefined) {
      this.diagnostics.push({
        severity: 'error',
        code: 'config/duplicate-key',
        message: `The key "${key}" stands here a second time.`,
        remedy: 'Keep one of the two.',
        at: keyAt,
        related: [{ message: 'It stands here first.', at: first }],
      });
      return false;
    }
    seen.set(key, keyAt);
    return true;
  }

  /** In quotation marks, it is text like any other. */
  private isMergeKey({ style, tagStart, valueStart, valueEnd }: ScalarEvent): boolean {
    const plain = style === this.styles.PLAIN && tagStart < 0;
    return plain && this.text.slice(valueStart, valueEnd) === '<<';
  }

  private merge(node: LocatedNode): readonly LocatedEntry[] {
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

  private follow({ anchorStart, anchorEnd }: AliasEvent, depth: number): LocatedNode {
    const name = this.text.slice(anchorStart, anchorEnd);
    const at = this.span(anchorStart - 1, anchorEnd);
    this.end = anchorEnd;
    const target = this.anchors.get(name);
    if (target !== undefined) return this.isWithinLimits(target, depth + 1, at) ? target : this.nothing(at);
    if (this.anchors.has(name)) {
      this.report(
        'config/too-many-aliases',
        at,
        `The alias "*${name}" stands within the value that it is the name of.`,
        'Write the value out.',
      );
    } else {
      this.report(
        'config/yaml-syntax',
        at,
        `The alias "*${name}" has no anchor "&${name}" above it.`,
        'Add the anchor, or put text that begins with "*" in quotation marks.',
      );
    }
    return this.nothing(at);
  }

  /** Whether a copy of a value may stand here. What is too much is reported once. */
  private isWithinLimits(node: LocatedNode, depth: number, alias: Span): boolean {
    if (this.copied > MAX_NODES) return false;
    if (++this.copied <= MAX_NODES && depth <= MAX_DEPTH) {
      if (node.kind === 'scalar') return true;
      const parts = node.kind === 'list' ? node.items : node.entries.map(({ value }) => value);
      return parts.every((part) => this.isWithinLimits(part, depth + 1, alias));
    }
    this.copied = Number.POSITIVE_INFINITY;
    this.report(
      'config/too-many-aliases',
      alias,
      depth > MAX_DEPTH
        ? `The aliases nest values more than ${MAX_DEPTH} levels deep.`
        : `The aliases stand for more than ${MAX_NODES} values.`,
      'Write the values out with fewer aliases, or move them into a file of their own.',
    );
    return false;
  }

  private scalar(event: ScalarEvent, fallback: Span | undefined): LocatedNode {
    const at = this.scalarSpan(event) ?? fallback ?? this.missing();
    this.end = Math.max(this.end, at.end);
    const value = this.valueOf(event, parser().getScalarValue(this.text, event));
    if (typeof value !== 'number') return { kind: 'scalar', value, at };
    if (!Number.isFinite(value)) {
      this.report(
        'config/invalid-value',
        at,
        'Not-a-number and infinity cannot be passed to a step.',
        'Use a finite number, or text.',
      );
    } else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      this.report(
        'config/invalid-value',
        at,
        'This integer is too large to be kept exactly.',
        'Put it in quotation marks, or use a smaller one.',
      );
    }
    return { kind: 'scalar', value, at };
  }

  private valueOf(event: ScalarEvent, text: string): Scalar {
    if (event.tagStart < 0) return event.style === this.styles.PLAIN ? plainScalar(text) : text;
    const tag = this.text.slice(event.tagStart, event.tagEnd);
    const value = tag === '!' ? text : taggedScalar(coreTag(tag), text);
    if (value === undefined) this.refuseTag(event);
    return value ?? null;
  }

  private refuseTag({ tagStart, tagEnd }: ScalarEvent | Collection): void {
    const tag = this.text.slice(tagStart, tagEnd);
    const known = TAGS.has(coreTag(tag));
    this.report(
      'config/yaml-syntax',
      this.span(tagStart, tagEnd),
      known ? `What follows does not fit the tag "${tag}".` : `The tag "${tag}" is not known here.`,
      'Remove it, or put text that begins with "!" in quotation marks.',
    );
  }

  private open(event: Collection, tag: 'seq' | 'map'): void {
    const own = this.text.slice(event.tagStart, event.tagEnd);
    if (event.tagStart >= 0 && own !== '!' && coreTag(own) !== tag) this.refuseTag(event);
    this.end = event.start + (this.bracketOf(event) === undefined ? 0 : 1);
  }

  private closes(): boolean {
    return this.events[this.next]?.type === this.ids.POP;
  }

  /** @returns where a collection ends: behind its bracket, or behind its last value */
  private close(event: Collection): number {
    this.next++;
    const bracket = this.bracketOf(event);
    if (bracket !== undefined) this.end = this.text.indexOf(bracket, this.gapEnd()) + 1;
    return this.end;
  }

  /** A pair in a list, as in `[a: 1]`, is a mapping without brackets. */
  private bracketOf({ start, style }: Collection): string | undefined {
    if (style === this.layouts.BLOCK) return undefined;
    return { '[': ']', '{': '}' }[this.text[start] ?? ''];
  }

  /** None when nothing is written. */
  private scalarSpan({ valueStart, valueEnd, style }: ScalarEvent): Span | undefined {
    if (valueStart < 0) return undefined;
    switch (style) {
      case this.styles.SINGLE_QUOTED:
      case this.styles.DOUBLE_QUOTED:
        return this.span(valueStart - 1, valueEnd + 1);
      case this.styles.LITERAL_BLOCK:
      case this.styles.FOLDED_BLOCK:
        return this.span(this.blockHeader(valueStart), valueEnd);
      default:
        return this.span(valueStart, valueEnd);
    }
  }

  /** Where the `|` or `>` stands whose lines begin here. */
  private blockHeader(lines: number): number {
    const line = this.text.slice(this.end, lines);
    const header = line.search(/[|>][0-9+-]*(?:[ \t]+#.*)?[ \t]*\r?\n?$/);
    return header < 0 ? lines : this.end + header;
  }

  /** The sign at which a value is missing, such as the hyphen of an item. */
  private missing(): Span {
    const start = Math.min(this.gapEnd(), Math.max(0, this.text.length - 1));
    return this.span(start, Math.min(start + 1, this.text.length));
  }

  /** Behind the space, comments and separators that follow what was read last. */
  private gapEnd(): number {
    const gap = /(?:[\s:,?\ufeff]|(?<=\s)#.*)*/y;
    gap.lastIndex = this.end;
    gap.test(this.text);
    return gap.lastIndex;
  }

  private nothing(at: Span): LocatedNode {
    return { kind: 'scalar', value: null, at };
  }

  private span(start: number, end: number): Span {
    return { file: this.file, start, end };
  }

  private report(code: DiagnosticCode, at: Span, message: string, remedy: string): void {
    this.diagnostics.push({ severity: 'error', code, message, remedy, at });
  }
}

/** `!!int` and `!<tag:yaml.org,2002:int>` are `int`; a tag that is none of YAML's is nothing. */
function coreTag(tag: string): string {
  return /^!(?:!|<tag:yaml\.org,2002:)([a-z]+)>?$/.exec(tag)?.[1] ?? '';
}

function failed(code: DiagnosticCode, at: Span, message: string, remedy: string): Result<never> {
  return { ok: false, diagnostics: [{ severity: 'error', code, message, remedy, at }] };
}
