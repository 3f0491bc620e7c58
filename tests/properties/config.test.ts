import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, parseDocument, stringify } from 'yaml';
import { formatDiagnostic } from '../../plugin/base/diagnostics.ts';
import { claimsOf, parseConfig } from '../../plugin/config/parse.ts';
import { CONFIG_SCHEMA } from '../../plugin/config/schema.ts';
import { validate } from '../../plugin/config/validate.ts';
import { parseYamlTree, toJson } from '../../plugin/config/yaml-tree.ts';
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

/** A carriage return alone, a byte order mark within the text, and a mark of a document that is indented. */
const DISPUTED = /\r(?!\n)|\ufeff|^\s+(?:---|%)/;

test('another YAML library reads the same values', () => {
  let read = 0;
  fc.assert(
    fc.property(
      yamlLike.filter((text) => !DISPUTED.test(text)),
      (text) => {
        const ours = parseYamlTree(FILE, text);
        const theirs = parseDocument(text, { uniqueKeys: false, merge: true });
        if (!ours.ok || theirs.errors.length + theirs.warnings.length > 0) return;
        read++;
        expect(toJson(ours.value)).toEqual(withTextKeys(theirs.toJS({ mapAsMap: true, maxAliasCount: -1 })));
      },
    ),
    { numRuns: 3000 },
  );
  expect(read).toBeGreaterThan(1000);
});

function withTextKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTextKeys);
  if (!(value instanceof Map)) return value ?? null;
  return Object.fromEntries([...value].map(([key, item]) => [String(key), withTextKeys(item)]));
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
