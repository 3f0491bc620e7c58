import type { Files } from '../support/configs.ts';

const SOUND = 'datasource: { raw: load }\nsteps: [run]\n';
const producer = (outputs: string, more = ''): string => `${more}${SOUND}outputs: { ${outputs} }\n`;
const reading = (reference: string, more = ''): string =>
  `datasource:\n  upstream: ${reference}\nsteps: [run]\noutputs: { out: {} }\n${more}`;

/** An experiment of one file. */
const one = (text: string | Uint8Array): Files => ({ 'lab/config.yaml': text });

/** Wrong configurations by the name of the file that holds their message. */
export const BROKEN_CONFIGS: Readonly<Record<string, Files>> = {
  // What is no YAML
  'not-text': one(Uint8Array.from([0x6e, 0x61, 0x6d, 0x65, 0x3a, 0x20, 0xff, 0xfe, 0x00, 0x1b, 0x0a])),
  'not-utf-8': one(Buffer.from('description: Größe\ndatasource: { raw: load }\nsteps: [run]\n', 'latin1')),
  'too-large': one(
    `${SOUND}params:\n${'  text: "0123456789012345678901234567890123456789"\n'.repeat(25_000)}`,
  ),
  'syntax-unclosed-bracket': one('datasource: { raw: load }\nsteps: [clean, train\noutputs: {}\n'),
  'syntax-unclosed-quote': one(`description: "The learning rate\n${SOUND}`),
  'syntax-bad-indent': one('datasource:\n  raw: load\n other: load\nsteps: [run]\n'),
  'syntax-tab': one('datasource:\n\traw: load\nsteps: [run]\n'),
  'syntax-colon-in-text': one(`description: Compare: old and new\n${SOUND}`),
  'syntax-two-documents': one(`${SOUND}---\n${SOUND}`),
  'syntax-unknown-tag': one(`${SOUND}params: { path: !file data.csv }\n`),
  'syntax-unknown-alias': one(`${SOUND}params: *shared\n`),
  'syntax-windows-lines': one('datasource: { raw: load }\r\nsteps: [clean, train\r\noutputs: {}\r\n'),
  'nested-brackets': one(`${SOUND}params: { deep: ${'['.repeat(50_000)}`),
  'nested-brackets-by-the-hundred-thousand': one('['.repeat(100_000)),
  'nested-lists': one(`${SOUND}params:\n  ${'- '.repeat(10_000)}x\n`),
  'alias-bomb': one(
    `x0: &x0 [a, a, a, a, a, a, a, a, a]\n${Array.from({ length: 9 }, (_, i) => `x${i + 1}: &x${i + 1} [${`*x${i}, `.repeat(9)}]\n`).join('')}${SOUND}`,
  ),
  'alias-of-itself': one(`${SOUND}params: &all { again: *all }\n`),
  'forbidden-key': one(`${SOUND}params:\n  epochs: 3\n  __proto__: { admin: true }\n`),
  'duplicate-key': one(`seed: 1\n${SOUND}seed: 2\n`),
  'key-that-is-a-list': one(`${SOUND}params:\n  ? [a, b]\n  : 1\n`),
  'merge-of-text': one(`${SOUND}params:\n  <<: defaults\n`),

  // What is YAML of another shape
  'empty-file': one(''),
  'only-a-comment': one('# To be written.\n'),
  'only-text': one('load then run\n'),
  'unknown-key': one(`${SOUND}treatment:\n  high_lr: { learning_rate: 0.05 }\n`),
  'unknown-key-far-from-all': one(`${SOUND}schedule: daily\n`),
  'unknown-key-nested': one(`${SOUND}execution: { worker: 4 }\ncli: { colour: "#85C1E9" }\n`),
  'missing-keys': one('name: lab\ndescription: Nothing yet.\n'),
  'missing-metrics': one(
    `${SOUND}treatments: { a: {} }\nhypotheses:\n  - name: better\n    verifier: t_test\n`,
  ),
  'missing-margin': one(
    `${SOUND}treatments: { a: {} }\nhypotheses:\n  - { metrics: loss, require: not-worse }\n  - { metrics: loss, verifier: equivalence }\n`,
  ),
  'unknown-choice': one(
    `${SOUND}treatments: { a: {} }\nhypotheses:\n  - { metrics: loss, require: significnt, correction: bonferroni, margin: -1 }\n`,
  ),
  'wrong-types': one(
    'replicates: many\nseed: 1.5\ndescription: [a, b]\ndatasource: { raw: 3 }\nsteps: clean\ntreatments: { a: 1 }\ncli: { hidden: "yes" }\n',
  ),
  'gates-open-to-the-worse': one(
    `${SOUND}treatments: { a: {} }\nhypotheses:\n  - { metrics: loss, better: lower, require: not-worse, margin: 1, alternative: greater }\n  - { metrics: score, require: not-worse, margin: 1, alternative: less }\n`,
  ),
  'gates-that-look-for-the-worse': one(
    `${SOUND}treatments: { a: {} }\nhypotheses:\n  - { metrics: loss, better: lower, require: significant, alternative: greater }\n  - { metrics: loss, require: significant, alternative: greater }\n`,
  ),
  'empty-steps-and-datasource': one('datasource: {}\nsteps: []\n'),
  'blank-steps-and-datasource': one('datasource:\nsteps:\n'),
  'empty-entries': one(
    'datasource: { raw: "" }\nsteps: [""]\nhypotheses: [{ verifier: t_test, metrics: [] }]\n',
  ),
  'out-of-range': one(`replicates: 0\nseed: -1\n${SOUND}execution: { workers: 5000, retries: 1000 }\n`),
  'bad-formats': one(`${SOUND}cli: { color: red }\nexecution: { timeout: 10 minutes }\n`),
  'timeout-of-nothing': one(`${SOUND}execution: { timeout: 0.0s }\n`),
  'integer-too-large': one(`${SOUND}params: { id: 12345678901234567890 }\n`),
  'number-not-finite': one(`${SOUND}params: { limit: .inf, start: .nan }\n`),
  'values-of-yaml-1.1': one(
    `datasource: { raw: { load: { all: Off } } }\nsteps: [{ clean: { drop: [yes, "no"] } }]\nparams: { rows: 1_000 }\ntreatments: { on: { nested: { shuffle: no, note: not yes } } }\n`,
  ),
  'numbers-of-yaml-1.1': one(
    `datasource: { raw: load }\nsteps: [run]\nseed: 0010\nparams:\n  octal: -017\n  pause: 1:30\n  exact: [1:02:03.5, 0b101, 1__0]\n  same: [07, 0x1F, 1.50, "010", "1:30", 1:99, 8080:80, 0o17, 08, 2026-01-01]\n`,
  ),
  'step-with-arguments-beside': one(
    'datasource: { raw: load }\nsteps:\n  - clean:\n    drop_nulls: true\n    fill: 0\n',
  ),
  'arguments-as-a-list': one('datasource: { raw: load }\nsteps:\n  - clean: [drop_nulls]\n'),
  'illegal-names': one(
    `name: my lab\n${SOUND}outputs: { "a/b": {} }\ntreatments:\n  high lr: {}\n  -x: {}\n`,
  ),
  'illegal-folder-name': { 'my lab/config.yaml': SOUND },
  'illegal-folder': { 'experiments/train (2)/config.yaml': `name: train\n${SOUND}` },
  'illegal-folder-above': { 'experiments/[wip]/train/config.yaml': SOUND },
  'illegal-folder-at-the-root': { '!old/experiments/train/config.yaml': SOUND },
  'illegal-long-name': one(`name: ${'n'.repeat(300)}\n${SOUND}`),
  'treatment-named-ro-crate-metadata': one(`${SOUND}treatments: { RO-Crate-Metadata.json: {} }\n`),
  'treatment-named-report': one(`${SOUND}treatments: { report: {} }\n`),
  'treatment-named-like-a-shard': one(`${SOUND}treatments: { a--1of4: {} }\n`),
  'treatments-that-differ-by-case': one(`${SOUND}treatments:\n  fast: {}\n  Fast: {}\n`),
  'control-characters': one(`${SOUND}"\\e[2Jsteps\\u202e": 1\n`),
  'far-in-a-long-line': one(
    `{ datasource: { raw: load }, steps: [run], params: { text: "${'word '.repeat(30)}" }, treatmnts: { a: {} }, description: "${'more '.repeat(30)}" }\n`,
  ),

  // What the configuration means on its own
  'bad-reference': one(
    'datasource:\n  a: producer#\n  b: producer#summary#x\n  c: "#summary"\nsteps: [run]\n',
  ),
  'duplicate-datasource': one(
    'datasource:\n  - raw: load\n  - labels: load_labels\n  - raw: load_again\nsteps: [run]\n',
  ),
  'unknown-datasource': one(
    `datasource: { measurements: load }\nsteps: [run]\ntreatments:\n  other:\n    datasource: { mesurements: load_other }\n`,
  ),
  'path-escapes-outputs': one(
    `${SOUND}outputs:\n  parent: { file_name: ../secret.json }\n  deep: { file_name: a/../../b.json }\n  absolute: { file_name: /etc/passwd }\n  backslash: { file_name: 'a\\b.json' }\n  drive: { file_name: 'C:/b.json' }\n  folder: { file_name: plots/ }\n`,
  ),
  'path-escapes-inputs': one(
    `${SOUND}inputs: [../../outside.csv, "{workspaceRoot}/../x", /etc/passwd, "{workspaceRoot}//etc/passwd", 'a\\b']\n`,
  ),
  'duplicate-file-name': one(
    `${SOUND}outputs:\n  a: { file_name: report.json }\n  b: { file_name: report.json }\n`,
  ),
  'duplicate-file-name-by-case': one(
    `${SOUND}outputs:\n  a: { file_name: Report.json }\n  b: { file_name: report.JSON }\n`,
  ),
  'duplicate-file-name-by-dot': one(
    `${SOUND}outputs:\n  report.json: {}\n  b: { file_name: ./report.json }\n`,
  ),
  'file-name-inside-another': one(
    `${SOUND}outputs:\n  model: {}\n  weights: { file_name: model/weights.bin }\n`,
  ),
  'two-files': { 'lab/config.yaml': SOUND, 'lab/config.yml': 'name: lab2\n'.concat(SOUND) },

  // What it means among others
  'unknown-experiment': {
    'producer/config.yaml': producer('summary: {}'),
    'consumer/config.yaml': reading('producr#summary'),
  },
  'unknown-experiment-far-from-all': {
    'producer/config.yaml': producer('summary: {}'),
    'consumer/config.yaml': reading('weather#today'),
  },
  'unknown-output': {
    'producer/config.yaml': producer('summary: {}, plot: {}'),
    'consumer/config.yaml': reading('producer#sumary'),
  },
  'unknown-output-of-none': {
    'producer/config.yaml': SOUND,
    'consumer/config.yaml': reading('producer#summary'),
  },
  'cycle-of-three': {
    'a/config.yaml': reading('b#out'),
    'b/config.yaml': reading('c#out'),
    'c/config.yaml': reading('a#out'),
  },
  'cycle-by-a-treatment': {
    'a/config.yaml': reading('b#out'),
    'b/config.yaml': producer('out: {}').concat('treatments:\n  swapped: { datasource: { raw: a#out } }\n'),
  },
  'self-reference': { 'a/config.yaml': reading('a#out') },
  'duplicate-experiment': {
    'one/config.yaml': `name: lab\n${SOUND}`,
    'two/config.yaml': `${SOUND}name: lab\n`,
    'lab/config.yaml': SOUND,
  },
  'duplicate-experiment-in-many-copies': Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`copy-${i + 10}/config.yaml`, `name: lab\n${SOUND}`]),
  ),
  'duplicate-experiment-by-case': {
    'one/config.yaml': `name: lab\n${SOUND}`,
    'two/config.yaml': `name: Lab\n${SOUND}`,
  },
  'replicate-mismatch': {
    'a/config.yaml': producer('out: {}', 'replicates: 3\n'),
    'b/config.yaml': producer('out: {}', 'replicates: 5\n'),
    'c/config.yaml': 'datasource:\n  first: a#out\n  second: b#out\nsteps: [run]\n',
  },
  'nothing-to-compare': one(
    `${SOUND}treatments: { baseline: {} }\nhypotheses:\n  - { name: better, verifier: welch_t_test, metrics: accuracy }\n`,
  ),
  'several-problems-in-several-files': {
    'producer/config.yaml': 'name: maker\ndatasource: { raw: load }\nsteps: [run\n',
    'consumer/config.yaml': reading('maker#summary', 'replicate: 3\ntreatments: { a: 5 }\n'),
    'other/config.yaml': reading('consumer#out'),
    'third/config.yaml': reading('othr#out', 'hypotheses:\n  - { verifier: t_test, metrics: loss }\n'),
  },
};
