import { describe, expect, test } from 'vitest';
import type { Json } from '../../plugin/base/json.ts';
import { type LocatedNode, toJson } from '../../plugin/config/located-node.ts';
import { parseYamlTree } from '../../plugin/config/yaml-tree.ts';

function treeOf(text: string): LocatedNode {
  const tree = parseYamlTree('config.yaml', text);
  if (!tree.ok) throw new Error(tree.diagnostics.map((d) => d.message).join('\n'));
  return tree.value;
}

const read = (text: string): Json => toJson(treeOf(text));

function entry(node: LocatedNode, key: string): LocatedNode {
  const found = node.kind === 'mapping' ? node.entries.find((e) => e.key === key)?.value : undefined;
  if (found === undefined) throw new Error(`no "${key}"`);
  return found;
}

describe('scalars', () => {
  test.each<[string, Json]>([
    ['1', 1],
    ['-1.5e3', -1500],
    ['0x10', 16],
    ['true', true],
    ['~', null],
    ['', null],
    ['"1"', '1'],
    ['yes', 'yes'],
    ['2024-01-01', '2024-01-01'],
    ['|\n  a\n  b\n', 'a\nb\n'],
    ['Grüße 🧪', 'Grüße 🧪'],
  ])('%j is %j', (text, value) => {
    expect(read(`value: ${text}`)).toEqual({ value });
  });
});

test.each<[string, Json]>([
  ['steps: [\n  a,\n  b\n]\n', { steps: ['a', 'b'] }],
  ['x: {\n  a: 1\n}\n', { x: { a: 1 } }],
  ['x:\t{ a: [1,\t2] }\n', { x: { a: [1, 2] } }],
  ['---\nx: 1\n...\n', { x: 1 }],
  ['\ufeffx: 1\r\ny: 2\r\n', { x: 1, y: 2 }],
  ['x: !!str 3\n', { x: '3' }],
  ['x: [a: 1]\n? y\n: 2\n', { x: [{ a: 1 }], y: 2 }],
  ['3.1: a\n3.10: b\n0x10: c\nTrue: d\n~: e\n', { 3.1: 'a', '3.10': 'b', '0x10': 'c', True: 'd', null: 'e' }],
  [
    '3.1: a\n3.10:\tb\n0x10: c\nTrue: d\n~: e\n',
    { 3.1: 'a', '3.10': 'b', '0x10': 'c', True: 'd', null: 'e' },
  ],
])('%j is read, whoever reads it', (text, value) => {
  expect(read(text)).toEqual(value);
});

test.each(['!!timestamp 2020-01-01T00:00:00Z', '!!binary aGVsbG8=', '!!set { a, b }', '!!omap [a: 1]'])(
  '%s is none of the values that a configuration has',
  (value) => {
    const tree = parseYamlTree('config.yaml', `x: ${value}\n`);
    expect(tree.ok ? [] : tree.diagnostics.map(({ message }) => message)).toEqual([
      `The tag "${value.split(' ')[0]}" is not known here.`,
    ]);
  },
);

describe('aliases', () => {
  test('stand for a copy of the anchored value', () => {
    expect(read('a: &x { n: 1 }\nb: *x\nc: [*x]\n')).toEqual({ a: { n: 1 }, b: { n: 1 }, c: [{ n: 1 }] });
  });

  test('stand for the last anchor of their name before them', () => {
    expect(read('a: &x 1\nb: *x\nc: &x 2\nd: *x\n')).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  test('may be used thousands of times', () => {
    expect(read(`a: &x 1\nb: [${'*x, '.repeat(10_000)}]\n`)).toMatchObject({ a: 1 });
  });

  test('of an anchor below are reported', () => {
    const tree = parseYamlTree('config.yaml', 'a: *x\nb: &x 1\n');
    expect(tree.ok ? [] : tree.diagnostics).toMatchObject([
      { code: 'config/yaml-syntax', at: { start: 3, end: 5 } },
    ]);
  });
});

describe('merge keys', () => {
  test('add what the mapping does not say itself', () => {
    expect(read('base: &base { a: 1, b: 2 }\nmore: { <<: *base, b: 3 }\n')).toEqual({
      base: { a: 1, b: 2 },
      more: { a: 1, b: 3 },
    });
  });

  test('of a list prefer the mapping that stands first', () => {
    const text = 'x: &x { a: 1 }\ny: &y { a: 2, b: 2 }\nz: { <<: [*x, *y] }\n';
    expect(read(text)).toMatchObject({ z: { a: 1, b: 2 } });
  });

  test('may be written several times', () => {
    expect(read('x: &x { a: 1 }\ny: &y { b: 2 }\nz:\n  <<: *x\n  <<: *y\n')).toMatchObject({
      z: { a: 1, b: 2 },
    });
  });

  test('are text when they stand in quotation marks', () => {
    expect(read('z: { "<<": 1 }\n')).toEqual({ z: { '<<': 1 } });
  });

  test('keep the place where a merged value was written', () => {
    const text = 'base: &base { a: 1 }\nmore: { <<: *base }\n';
    expect(entry(entry(treeOf(text), 'more'), 'a').at).toEqual({
      file: 'config.yaml',
      start: text.indexOf('1'),
      end: text.indexOf('1') + 1,
    });
  });
});

describe('places', () => {
  test('of a value are those of its text', () => {
    const text = 'steps:\n  - clean: { n: "one" }\n';
    const at = entry(treeOf(text), 'steps').kind === 'list' && entry(treeOf(text), 'steps').at;
    expect(at && text.slice(at.start, at.end)).toBe('- clean: { n: "one" }');
  });

  test('of a missing value in brackets are those of its key', () => {
    const tree = treeOf('{ raw }');
    expect(entry(tree, 'raw')).toEqual({
      kind: 'scalar',
      value: null,
      at: { file: 'config.yaml', start: 2, end: 5 },
    });
  });
});

test('signs that open brackets in text do not count as depth', () => {
  expect(read(`value: "${'['.repeat(500)}"\n# ${'{'.repeat(500)}\n`)).toEqual({ value: '['.repeat(500) });
});

test('64 levels are read, one more is refused', () => {
  const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  expect(parseYamlTree('config.yaml', nested(64)).ok).toBe(true);
  expect(parseYamlTree('config.yaml', nested(66)).ok).toBe(false);
});
