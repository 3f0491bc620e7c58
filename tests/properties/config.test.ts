import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
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

test('what a value looks like in YAML does not change what is read', () => {
  fc.assert(
    fc.property(nearlyConfig, fc.boolean(), (value, plain) => {
      const tree = parseYamlTree(FILE, plain ? stringify(value) : JSON.stringify(value));
      if (tree.ok) expect(JSON.stringify(toJson(tree.value))).toBe(JSON.stringify(value));
    }),
    { numRuns: 150 },
  );
});

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
