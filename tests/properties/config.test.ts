import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { formatDiagnostic } from '../../plugin/base/diagnostics.ts';
import { claimsOf, parseConfig } from '../../plugin/config/parse.ts';
import { CONFIG_SCHEMA } from '../../plugin/config/schema.ts';
import { validate } from '../../plugin/config/validate.ts';
import { readFast } from '../../plugin/config/yaml-fast.ts';
import { type LocatedNode, parseYamlTree, readAll, toJson } from '../../plugin/config/yaml-tree.ts';
import { FULL, nearlyConfig, yamlLike } from './texts.ts';

const FILE = 'lab/config.yaml';
const schemaAccepts = new Ajv2020({ strict: false, validateFormats: false, allErrors: false }).compile(
  CONFIG_SCHEMA,
);

function problems(text: string): { start: number; end: number; message: string }[] {
  const parsed = parseConfig(FILE, text);
  return parsed.ok ? [] : parsed.diagnostics.map(({ at, message }) => ({ ...at, message }));
}

function checkSpans(text: string): void {
  for (const { start, end, message } of problems(text)) {
    const inside = 0 <= start && start <= end && end <= text.length;
    expect({ message, start, end, inside }).toMatchObject({ inside: true });
  }
}

test('any text gives a configuration or problems that lie inside of it', () => {
  fc.assert(fc.property(yamlLike, checkSpans), { numRuns: 3000 });
});

test('any text can be shown with its problems, in lines that fit a terminal', () => {
  fc.assert(
    fc.property(yamlLike, (text) => {
      const parsed = parseConfig(FILE, text);
      expect(typeof claimsOf(FILE, text).name).toBe('string');
      for (const diagnostic of parsed.ok ? [] : parsed.diagnostics) {
        const shown = formatDiagnostic(diagnostic, () => text);
        expect(shown.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      }
    }),
    { numRuns: 1000 },
  );
});

const style = fc.option(
  fc.record({
    indent: fc.constantFrom(1, 2, 4),
    indentSeq: fc.boolean(),
    lineWidth: fc.constantFrom(0, 20, 80),
    collectionStyle: fc.constantFrom('any', 'block', 'flow'),
    defaultStringType: fc.constantFrom(
      'PLAIN',
      'QUOTE_SINGLE',
      'QUOTE_DOUBLE',
      'BLOCK_FOLDED',
      'BLOCK_LITERAL',
    ),
    defaultKeyType: fc.constantFrom('PLAIN', 'QUOTE_DOUBLE'),
  } as const),
);

test('what a value looks like in YAML does not change what is read', () => {
  fc.assert(
    fc.property(nearlyConfig, style, (value, options) => {
      const text = options ? stringify(value, options) : JSON.stringify(value);
      const tree = parseYamlTree(FILE, text);
      // Text in block style does not keep every space that it had.
      if (tree.ok)
        expect(JSON.stringify(toJson(tree.value))).toBe(JSON.stringify(options ? parse(text) : value));
    }),
    { numRuns: 300 },
  );
});

test('what is read fast is what the other library reads, at the same places', () => {
  const seen = { fast: 0, other: 0 };
  const check = (text: string): void => {
    const fast = readFast(FILE, text);
    seen[fast ? 'fast' : 'other']++;
    if (fast === undefined) return;
    const all = readAll(FILE, text);
    expect(all.ok && comparable(all.value, text)).toEqual(comparable(fast, text));
  };
  fc.assert(fc.property(yamlLike, check), { numRuns: 3000 });
  const written = fc.tuple(nearlyConfig, style).map(([value, options]) => stringify(value, options ?? {}));
  fc.assert(fc.property(written, check), { numRuns: 300 });
  expect(seen.fast).toBeGreaterThan(1000);
  expect(seen.other).toBeGreaterThan(300);
});

/** A collection without brackets may end with the space and comments behind its last value, or without. */
function comparable(node: LocatedNode, text: string): unknown {
  const at = /[[{]/.test(text[node.at.start] ?? '') ? node.at : { ...node.at, end: undefined };
  if (node.kind === 'scalar') return { ...node, at: node.at };
  if (node.kind === 'list') return { ...node, at, items: node.items.map((item) => comparable(item, text)) };
  const entries = node.entries.map((entry) => ({ ...entry, value: comparable(entry.value, text) }));
  return { ...node, at, entries };
}

test('the configuration that has every key is accepted by both', () => {
  expect(schemaAccepts(FULL)).toBe(true);
  expect(problems(JSON.stringify(FULL))).toEqual([]);
});

test('our check accepts exactly what the published JSON Schema accepts', () => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(nearlyConfig, (value) => {
      const text = JSON.stringify(value, null, 1);
      const tree = parseYamlTree(FILE, text);
      if (!tree.ok) return; // too large an integer, or a key that is refused
      const found = validate(tree.value, CONFIG_SCHEMA);
      const accepted = schemaAccepts(value);
      seen[accepted ? 'accepted' : 'refused']++;
      expect({ ours: found.map((d) => d.message), accepted: found.length === 0 }).toMatchObject({ accepted });
      for (const { at } of found) expect(at.start <= at.end && at.end <= text.length).toBe(true);
    }),
    { numRuns: 1000 },
  );
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(100);
});
