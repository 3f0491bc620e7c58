import * as fc from 'fast-check';
import { CONFIG_SCHEMA } from '../../plugin/config/schema.ts';

/** A correct configuration that has every key. */
export const FULL = {
  name: 'lab',
  description: 'One line.',
  replicates: 12,
  seed: 42,
  params: { epochs: 10 },
  inputs: ['data/*.csv', { env: 'MODEL' }],
  datasource: { raw: 'load', big: { load: { path: 'big.csv' } }, summary: 'producer#summary' },
  steps: ['inspect', { clean: { drop_nulls: true } }],
  outputs: { report: { file_name: 'report.json', writer: 'dump_json', loader: 'load_json' }, log: null },
  treatments: { baseline: {}, high: { rate: 0.05, datasource: { raw: 'load_other' } }, plain: null },
  hypotheses: [{ name: 'better', verifier: 't_test', metrics: [['accuracy'], 'loss'] }],
  cli: { group: 'Training', priority: 10, icon: '🧪', color: '#85C1E9', hidden: false },
  execution: { workers: 4, concurrency: 1, timeout: '10m', retries: 0 },
};

const word = fc.constantFrom(
  ...Object.keys(CONFIG_SCHEMA.properties),
  ...[
    'baseline',
    'load',
    'a#b',
    '10m',
    '#85C1E9',
    'x',
    '',
    ' ',
    'a b',
    'n'.repeat(100),
    'n'.repeat(101),
    '🧪'.repeat(60),
  ],
);

const leaf = fc.oneof(
  word,
  fc.string({ maxLength: 8 }),
  fc.integer(),
  fc.constantFrom(0, 1, -1, 0.5, 1e10, 4_294_967_295, 4_294_967_296),
  fc.boolean(),
  fc.constant(null),
);

/** Keys that the reader refuses before any schema sees them. */
const refused = new Set(['__proto__', 'constructor', 'prototype', '<<']);
const key = fc.oneof(word, fc.string({ maxLength: 6 })).filter((text) => !refused.has(text));

const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

type Change = readonly [path: number, kind: 'replace' | 'remove' | 'add', key: string, value: unknown];

const change: fc.Arbitrary<Change> = fc.tuple(
  fc.nat(200),
  fc.constantFrom('replace', 'replace', 'remove', 'add'),
  key,
  json,
);

/** Configurations with a few things changed at random, and whatever else JSON can be. */
export const nearlyConfig: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 1, arbitrary: json },
  {
    weight: 9,
    arbitrary: fc.array(change, { maxLength: 3 }).map((changes) => {
      const root: { config: unknown } = { config: structuredClone(FULL) };
      for (const one of changes) apply(root, one);
      return root.config;
    }),
  },
);

/** Places in a value: each a container and a key in it. */
function places(container: object): [Record<string, unknown>, string][] {
  return Object.entries(container).flatMap(([name, value]) => [
    [container as Record<string, unknown>, name] as [Record<string, unknown>, string],
    ...(typeof value === 'object' && value !== null ? places(value) : []),
  ]);
}

function apply(root: object, [path, kind, name, given]: Change): void {
  const value = structuredClone(given); // otherwise, a later change could put it into itself
  const all = places(root);
  const [container, at] = all[path % all.length] ?? [];
  if (container === undefined || at === undefined) return;
  const target = container[at];
  if (kind === 'replace') container[at] = value;
  else if (kind === 'add' && Array.isArray(target)) target.push(value);
  else if (kind === 'add' && typeof target === 'object' && target !== null)
    Object.assign(target, { [name]: value });
  else if (Array.isArray(container)) container.splice(Number(at), 1);
  else if (container !== root) delete container[at];
}

const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      '- ',
      '? ',
      ': ',
      ', ',
      '[',
      ']',
      '{',
      '}',
      '\n',
      '\n  ',
      '\n    ',
      '\t',
      '\r\n',
      '#',
      ' # ',
      '|',
      '>-',
      '"',
      "'",
    ],
    ...[
      '&a ',
      '*a',
      '<<: *a',
      '!!str ',
      '!x ',
      '---\n',
      '...\n',
      '%YAML 1.2\n',
      '~',
      '.inf',
      '.nan',
      '0x1F',
      '1e400',
      '\\',
    ],
    ...[
      'name: ',
      'steps: [run]\n',
      'datasource: { raw: load }\n',
      'treatments:\n  ',
      '__proto__: 1\n',
      '\0',
      '\u2028',
      '\ufeff',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 5 }),
  word,
);

/** Text that is made of the signs of YAML, so that it gets further into a reader than chance would. */
export const yamlLike: fc.Arbitrary<string> = fc.oneof(
  fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
);
