import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
} from 'yaml';
import type { Diagnostic, DiagnosticCode, Result, Span } from '../base/diagnostics.ts';
import type { Json, JsonObject } from '../base/json.ts';

/** A YAML value that knows where it stands. Aliases and merge keys are already followed. */
export type LocatedNode =
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null; readonly at: Span }
  | { readonly kind: 'list'; readonly items: readonly LocatedNode[]; readonly at: Span }
  | { readonly kind: 'mapping'; readonly entries: readonly LocatedEntry[]; readonly at: Span };

export interface LocatedEntry {
  readonly key: string;
  readonly keyAt: Span;
  readonly value: LocatedNode;
}

const MAX_LENGTH = 256 * 1024;
const MAX_NODES = 50_000;
const MAX_DEPTH = 64;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

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
  const tooDeep = nestingExcess(text);
  if (tooDeep >= 0) {
    return failed(
      'config/yaml-syntax',
      { file, start: tooDeep, end: tooDeep + 1 },
      `Brackets are nested more than ${MAX_DEPTH} levels deep.`,
      'Flatten the value.',
    );
  }
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      prettyErrors: false,
      uniqueKeys: false,
      merge: true,
      logLevel: 'silent',
    });
  } catch (error) {
    return failed(
      'config/yaml-syntax',
      start,
      `The YAML cannot be read: ${(error as Error).message}`,
      'Simplify the file.',
    );
  }
  const problems: Diagnostic[] = [...document.errors, ...document.warnings].map((problem) => ({
    severity: 'error',
    code: 'config/yaml-syntax',
    message: sentence(problem.message),
    remedy: 'Correct the YAML at this place.',
    at: { file, start: problem.pos[0], end: Math.max(problem.pos[1], problem.pos[0] + 1) },
  }));
  if (problems.length > 0) return { ok: false, diagnostics: problems };
  const builder = new TreeBuilder(file, document);
  const tree = builder.build(document.contents);
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

class TreeBuilder {
  readonly diagnostics: Diagnostic[] = [];
  private nodes = 0;

  constructor(
    private readonly file: string,
    private readonly document: Document.Parsed,
  ) {}

  build(node: unknown, depth = 0, fallback: Span = this.span(undefined)): LocatedNode {
    const at = this.span(node) ?? fallback;
    if (++this.nodes > MAX_NODES || depth > MAX_DEPTH) {
      if (!this.diagnostics.some((d) => d.code === 'config/too-many-aliases')) {
        this.report(
          'config/too-many-aliases',
          at,
          `The file expands to more than ${MAX_NODES} values or ${MAX_DEPTH} levels.`,
          'Write the values out, or move them into a file of their own.',
        );
      }
      return { kind: 'scalar', value: null, at };
    }
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      return target === undefined ? { kind: 'scalar', value: null, at } : this.build(target, depth + 1, at);
    }
    if (isMap(node)) return { kind: 'mapping', entries: this.entries(node.items, depth), at };
    if (isSeq(node))
      return { kind: 'list', items: node.items.map((item) => this.build(item, depth + 1, at)), at };
    if (isScalar(node)) return { kind: 'scalar', value: this.scalar(node.value, at), at };
    return { kind: 'scalar', value: null, at };
  }

  private entries(pairs: readonly Pair[], depth: number): LocatedEntry[] {
    const own: LocatedEntry[] = [];
    const merged: LocatedEntry[] = [];
    const seen = new Map<string, Span>();
    for (const pair of pairs) {
      if (!isPair(pair)) continue;
      const keyAt = this.span(pair.key);
      if (!isScalar(pair.key)) {
        this.report('config/invalid-type', keyAt, 'A key must be a plain name.', 'Use text as the key.');
        continue;
      }
      const key = String(pair.key.value);
      if (key === '<<') {
        merged.push(...this.merge(pair.value, depth));
        continue;
      }
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
    return [
      ...merged.filter(
        (entry, i) => !seen.has(entry.key) && merged.findIndex((m) => m.key === entry.key) === i,
      ),
      ...own,
    ];
  }

  private merge(value: unknown, depth: number): LocatedEntry[] {
    const node = this.build(value, depth + 1);
    const parts = node.kind === 'list' ? node.items : [node];
    return parts.flatMap((part) => {
      if (part.kind === 'mapping') return part.entries;
      this.report(
        'config/invalid-type',
        part.at,
        'Only a mapping can be merged with "<<".',
        'Point the alias at a mapping.',
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

  private span(node: unknown): Span {
    const range = (node as Node | null | undefined)?.range;
    return range
      ? { file: this.file, start: range[0], end: range[1] }
      : { file: this.file, start: 0, end: 0 };
  }

  private report(code: DiagnosticCode, at: Span, message: string, remedy: string): void {
    this.diagnostics.push({ severity: 'error', code, message, remedy, at });
  }
}

/** The offset of the first bracket beyond the depth limit, or -1. The parser recurses, so this is checked before. */
function nestingExcess(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '[' || c === '{') depth++;
    else if ((c === ']' || c === '}') && depth > 0) depth--;
    if (depth > MAX_DEPTH) return i;
  }
  return -1;
}

function failed(code: DiagnosticCode, at: Span, message: string, remedy: string): Result<never> {
  return { ok: false, diagnostics: [{ severity: 'error', code, message, remedy, at }] };
}

function sentence(message: string): string {
  const line = message.split('\n')[0]?.trim() ?? '';
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
