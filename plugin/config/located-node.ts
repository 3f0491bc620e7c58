import type { Span } from '../base/diagnostics.ts';
import type { Json, JsonObject } from '../base/json.ts';

/** Collections within each other: both readers recurse. */
export const MAX_DEPTH = 64;
/** They mean something to JavaScript. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** A YAML value that knows where it stands. Aliases and merge keys are already followed. */
export type LocatedNode =
  | {
      readonly kind: 'scalar';
      readonly value: string | number | boolean | null;
      readonly at: Span;
      /** A whole number that is written as a fraction. */
      readonly isFloat?: true;
    }
  | { readonly kind: 'list'; readonly items: readonly LocatedNode[]; readonly at: Span }
  | { readonly kind: 'mapping'; readonly entries: readonly LocatedEntry[]; readonly at: Span };

export interface LocatedEntry {
  readonly key: string;
  readonly keyAt: Span;
  readonly value: LocatedNode;
}

/** A key as it is written: 3.10 is not 3.1. What is nothing is called null. */
export function keyText(value: unknown, written: string): string {
  return typeof value === 'number' || typeof value === 'boolean' ? written : String(value);
}

/** Keys and indices that lead to a value inside of another one. */
export type Path = readonly (string | number)[];

/** @param written the text of a plain scalar */
export function isWrittenAsFloat(written: string, value: unknown): boolean {
  return Number.isInteger(value) && /[.eE]/.test(written) && !written.startsWith('0x');
}

/** Where whole numbers are written as fractions: 1.0 is to JSON the same as 1, and to Python something else. */
export function floatsIn(node: LocatedNode): Path[] {
  switch (node.kind) {
    case 'scalar':
      return node.isFloat ? [[]] : [];
    case 'list':
      return node.items.flatMap((item, i) => floatsIn(item).map((path) => [i, ...path]));
    case 'mapping':
      return node.entries.flatMap(({ key, value }) => floatsIn(value).map((path) => [key, ...path]));
  }
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
