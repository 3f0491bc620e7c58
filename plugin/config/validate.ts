import type { Diagnostic, DiagnosticCode, Span } from '../base/diagnostics.ts';
import { NAME_RULE, nearest } from '../base/names.ts';
import type { Schema, SchemaType } from './schema.ts';
import type { LocatedNode } from './yaml-tree.ts';

const TYPE_WORDS: Record<SchemaType, string> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'nothing',
  array: 'a list',
  object: 'a mapping',
};

const FORMAT_WORDS = {
  name: NAME_RULE,
  duration: 'a number with a unit: ms, s, m or h',
  color: 'a "#" and six hexadecimal digits',
} as const;

/** Checks a located value against a schema and reports every problem, each at its own place. */
export function validate(node: LocatedNode, schema: Schema): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  check(node, schema, 'The configuration', diagnostics);
  return diagnostics;
}

function check(node: LocatedNode, schema: Schema, what: string, out: Diagnostic[]): void {
  const branches = schema.anyOf ?? [schema];
  const branch = branches.find((candidate) => hasType(node, candidate.type));
  if (branch === undefined) {
    const wanted = branches.flatMap((b) => (b.type && b.type !== 'null' ? [TYPE_WORDS[b.type]] : []));
    const empty = node.kind === 'scalar' && node.value === null;
    report(
      out,
      empty ? 'config/empty' : 'config/invalid-type',
      node.at,
      `${what} must be ${wanted.join(' or ')}, but is ${describe(node)}.`,
      `Write ${wanted.join(' or ')} here.`,
    );
    return;
  }
  if (node.kind === 'mapping') checkMapping(node, branch, what, out);
  else if (node.kind === 'list') checkList(node, branch, what, out);
  else checkScalar(node, branch, what, out);
}

function checkMapping(
  node: LocatedNode & { kind: 'mapping' },
  schema: Schema,
  what: string,
  out: Diagnostic[],
): void {
  const known = schema.properties ?? {};
  for (const key of schema.required ?? []) {
    if (node.entries.some((entry) => entry.key === key)) continue;
    const at = { ...node.at, end: Math.min(node.at.end, node.at.start + 1) };
    report(out, 'config/missing-key', at, `${what} lacks "${key}".`, example(key, known[key]));
  }
  const [min, max] = [schema.minProperties ?? 0, schema.maxProperties ?? Number.POSITIVE_INFINITY];
  if (node.entries.length < min) {
    report(out, 'config/empty', node.at, `${what} is empty.`, 'Add an entry, or remove the key.');
  } else if (node.entries.length > max) {
    const extra = node.entries[max];
    if (extra)
      report(
        out,
        'config/invalid-value',
        extra.keyAt,
        `${what} has more than ${max} key.`,
        'A function with arguments is one key whose value is a mapping: indent the arguments below the name.',
      );
  }
  for (const { key, keyAt, value } of node.entries) {
    if (schema.propertyNames)
      check({ kind: 'scalar', value: key, at: keyAt }, schema.propertyNames, `The name "${key}"`, out);
    const property = Object.hasOwn(known, key) ? known[key] : undefined;
    if (property) check(value, property, `"${key}"`, out);
    else if (schema.additionalProperties === false) {
      const near = nearest(key, Object.keys(known));
      report(
        out,
        'config/unknown-key',
        keyAt,
        `Unknown key "${key}".`,
        near ? `Did you mean "${near}"?` : `Known keys: ${Object.keys(known).join(', ')}.`,
      );
    } else if (typeof schema.additionalProperties === 'object')
      check(value, schema.additionalProperties, `"${key}"`, out);
  }
}

function checkList(
  node: LocatedNode & { kind: 'list' },
  schema: Schema,
  what: string,
  out: Diagnostic[],
): void {
  if (node.items.length < (schema.minItems ?? 0)) {
    report(out, 'config/empty', node.at, `${what} is empty.`, 'Add an entry, or remove the key.');
  }
  const items = schema.items;
  if (items) for (const item of node.items) check(item, items, `An entry of ${what}`, out);
}

function checkScalar(
  node: LocatedNode & { kind: 'scalar' },
  schema: Schema,
  what: string,
  out: Diagnostic[],
): void {
  const { value, at } = node;
  if (typeof value === 'string') {
    if (value.length < (schema.minLength ?? 0))
      report(out, 'config/empty', at, `${what} is empty.`, 'Write its value.');
    if (schema.pattern && !(new RegExp(schema.pattern).test(value) && value.length <= 100)) {
      const rule = schema.format ? FORMAT_WORDS[schema.format] : `text that matches ${schema.pattern}`;
      const code = schema.format === 'name' ? 'config/illegal-name' : 'config/invalid-value';
      const subject = what === `The name "${value}"` ? what : `${what} is "${value}", which`;
      report(
        out,
        code,
        at,
        `${subject} is not allowed.`,
        `Use ${rule}${schema.format === 'name' ? '; at most 100 characters' : ''}.`,
      );
    }
  }
  if (typeof value === 'number') {
    const [min, max] = [
      schema.minimum ?? Number.NEGATIVE_INFINITY,
      schema.maximum ?? Number.POSITIVE_INFINITY,
    ];
    if (value < min || value > max) {
      report(
        out,
        'config/invalid-value',
        at,
        `${what} is ${value}, but must be from ${min} to ${max}.`,
        'Choose a value in that range.',
      );
    }
  }
}

function hasType(node: LocatedNode, type: SchemaType | undefined): boolean {
  switch (type) {
    case undefined:
      return true;
    case 'object':
      return node.kind === 'mapping';
    case 'array':
      return node.kind === 'list';
    case 'null':
      return node.kind === 'scalar' && node.value === null;
    case 'integer':
      return node.kind === 'scalar' && Number.isInteger(node.value);
    default:
      return node.kind === 'scalar' && typeof node.value === type;
  }
}

function describe(node: LocatedNode): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'mapping') return 'a mapping';
  if (node.value === null) return 'empty';
  return typeof node.value === 'string'
    ? 'text'
    : typeof node.value === 'boolean'
      ? 'true or false'
      : `the number ${node.value}`;
}

function example(key: string, schema: Schema | undefined): string {
  const sample = schema?.examples?.[0];
  return sample === undefined ? `Add "${key}".` : `Add it, for example ${key}: ${JSON.stringify(sample)}.`;
}

function report(out: Diagnostic[], code: DiagnosticCode, at: Span, message: string, remedy: string): void {
  out.push({ severity: 'error', code, message, remedy, at });
}
