import type { Diagnostic, DiagnosticCode, Span } from '../base/diagnostics.ts';
import { NAME_RULE, nearest } from '../base/names.ts';
import type { LocatedNode } from './located-node.ts';
import type { Schema, SchemaType } from './schema.ts';

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
  check(node, schema, '', diagnostics);
  return diagnostics;
}

/** @param path keys from the root to here, as a message shows them: `treatments.high_lr` */
function check(node: LocatedNode, schema: Schema, path: string, out: Diagnostic[]): void {
  const branches = schema.anyOf ?? [schema];
  const branch = branches.find((candidate) => hasType(node, candidate.type));
  if (branch === undefined) {
    const wanted = branches.flatMap((b) => (b.type && b.type !== 'null' ? [TYPE_WORDS[b.type]] : []));
    const blank = node.kind === 'scalar' && node.value === null;
    report(
      out,
      blank ? 'config/empty' : 'config/invalid-type',
      node.at,
      `${subject(path)} must be ${wanted.join(' or ')}, but is ${describe(node)}.`,
      example(path, schema) ?? `Write ${wanted.join(' or ')} here${withRequired(branches)}.`,
    );
    return;
  }
  if (node.kind === 'mapping') checkMapping(node, branch, path, out);
  else if (node.kind === 'list') checkList(node, branch, path, out);
  else checkScalar(node, branch, path, out);
}

function checkMapping(
  node: LocatedNode & { kind: 'mapping' },
  schema: Schema,
  path: string,
  out: Diagnostic[],
): void {
  const known = schema.properties ?? {};
  for (const key of schema.required ?? []) {
    if (node.entries.some((entry) => entry.key === key || isTypoOf(key, entry.key, known))) continue;
    const at = { ...node.at, end: Math.min(node.at.end, node.at.start + 1) };
    const remedy = example(key, known[key]) ?? `Add "${key}".`;
    report(out, 'config/missing-key', at, `${subject(path)} lacks "${key}".`, remedy);
  }
  if (node.entries.length < (schema.minProperties ?? 0)) {
    report(out, 'config/empty', node.at, `${subject(path)} is empty.`, 'Add an entry.');
  }
  const extra = schema.maxProperties === undefined ? undefined : node.entries[schema.maxProperties];
  if (extra !== undefined) {
    report(
      out,
      'config/invalid-value',
      extra.keyAt,
      `${subject(path)} has more than one key: "${extra.key}" stands beside "${node.entries[0]?.key}".`,
      'A function with arguments is one key: indent its arguments below it. Another function is another entry.',
    );
    return; // its values are not what the schema takes them for
  }
  for (const { key, keyAt, value } of node.entries) {
    const inner = path === '' ? key : `${path}.${key}`;
    if (schema.propertyNames) checkText(key, keyAt, schema.propertyNames, `The name "${key}"`, out);
    const property = Object.hasOwn(known, key) ? known[key] : undefined;
    if (property) check(value, property, inner, out);
    else if (schema.additionalProperties === false) reportUnknown(key, keyAt, path, Object.keys(known), out);
    else if (typeof schema.additionalProperties === 'object')
      check(value, schema.additionalProperties, inner, out);
  }
}

/** Whether an unknown key is reported with the question whether this one was meant. */
function isTypoOf(key: string, written: string, known: Readonly<Record<string, Schema>>): boolean {
  return !Object.hasOwn(known, written) && nearest(written, Object.keys(known)) === key;
}

function reportUnknown(
  key: string,
  at: Span,
  path: string,
  known: readonly string[],
  out: Diagnostic[],
): void {
  const near = nearest(key, known);
  const where = path === '' ? '' : ` in "${path}"`;
  const remedy = near ? `Did you mean "${near}"?` : `Known keys: ${known.join(', ')}.`;
  report(out, 'config/unknown-key', at, `Unknown key "${key}"${where}.`, remedy);
}

function checkList(
  node: LocatedNode & { kind: 'list' },
  schema: Schema,
  path: string,
  out: Diagnostic[],
): void {
  if (node.items.length < (schema.minItems ?? 0)) {
    report(out, 'config/empty', node.at, `${subject(path)} is empty.`, 'Add an entry.');
  }
  if (schema.items === undefined) return;
  for (const [i, item] of node.items.entries()) check(item, schema.items, `${path}[${i}]`, out);
}

function checkScalar(
  node: LocatedNode & { kind: 'scalar' },
  schema: Schema,
  path: string,
  out: Diagnostic[],
): void {
  const { value, at } = node;
  if (typeof value === 'string') checkText(value, at, schema, `"${path}" is "${value}", which`, out);
  if (typeof value === 'number') {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
    if (value < minimum || value > maximum) {
      report(
        out,
        'config/invalid-value',
        at,
        `"${path}" is ${value}, but must be ${maximum === Number.POSITIVE_INFINITY ? `at least ${minimum}` : `from ${minimum} to ${maximum}`}.`,
        'Choose a value in that range.',
      );
    }
  }
}

/** @param subject begins a sentence that ends with "is not allowed" */
function checkText(value: string, at: Span, schema: Schema, subject: string, out: Diagnostic[]): void {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, format, enum: choices } = schema;
  const code = format === 'name' ? 'config/illegal-name' : 'config/invalid-value';
  // JSON Schema counts characters, not UTF-16 units.
  const length = [...value].length;
  if (choices !== undefined && !choices.includes(value)) {
    const near = nearest(value, choices);
    const known = `Use ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}.`;
    report(
      out,
      code,
      at,
      `${subject} is not allowed.`,
      near === undefined ? known : `Did you mean "${near}"? ${known}`,
    );
  } else if (length < minLength) report(out, 'config/empty', at, 'The text is empty.', 'Write its value.');
  else if (length > maxLength)
    report(out, code, at, `${subject} is too long.`, `Use at most ${maxLength} characters.`);
  else if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) {
    const rule = format ? FORMAT_WORDS[format] : `text that matches ${pattern}`;
    report(out, code, at, `${subject} is not allowed.`, `Use ${rule}.`);
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

function subject(path: string): string {
  return path === '' ? 'The configuration' : `"${path}"`;
}

function describe(node: LocatedNode): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'mapping') return 'a mapping';
  if (node.value === null) return 'empty';
  switch (typeof node.value) {
    case 'string':
      return `the text "${node.value}"`;
    case 'number':
      return `the number ${node.value}`;
    default:
      return String(node.value);
  }
}

/** How the value of a key may look, if the schema has an example. */
/** `, with "datasource" and "steps"`; nothing where nothing is required. */
function withRequired(branches: readonly Schema[]): string {
  const keys = branches.flatMap(({ required = [] }) => required.map((key) => `"${key}"`));
  return keys.length === 0 ? '' : `, with ${keys.join(' and ')}`;
}

function example(path: string, schema: Schema | undefined): string | undefined {
  const sample = schema?.examples?.[0];
  return sample === undefined ? undefined : `For example: ${path.split('.').at(-1)}: ${flow(sample)}`;
}

/** A value as YAML writes it on one line; quotation marks only where it needs them. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${key}: ${flow(item)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return typeof value === 'string' && /^[A-Za-z][\w ./*#-]*$/.test(value) ? value : JSON.stringify(value);
}

function report(out: Diagnostic[], code: DiagnosticCode, at: Span, message: string, remedy: string): void {
  out.push({ severity: 'error', code, message, remedy, at });
}
