import { stripVTControlCharacters } from 'node:util';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { renderMarkdown } from '../../plugin/report/markdown.ts';
import { compareConditions, type ReportModel } from '../../plugin/report/model.ts';
import { formatNumber, formatShort } from '../../plugin/report/numbers.ts';
import { renderPage } from '../../plugin/report/page/page.ts';
import { renderSummary } from '../../plugin/report/summary.ts';
import { SUMMARY_SCHEMA } from '../../plugin/report/summary-schema.ts';
import { renderTable } from '../../plugin/report/table.ts';
import { dossierOf, testedVerdicts } from '../support/dossiers.ts';
import { manifestOf } from '../support/manifests.ts';

/** A verdict of a verifier of the user's, without p-values to correct. */
const UNJUDGED = { builtIn: false, better: undefined, corrected: undefined, gate: undefined } as const;

const MODEL = compareConditions(
  { name: 'lab', description: 'Is a higher rate better?' },
  [
    manifestOf('baseline', {
      accuracy: [0.5, 0.75, 1],
      loss: [10, 12, Number.NaN],
      steps: [1000, 1000, 1000],
    }),
    manifestOf('high_lr', {
      accuracy: [0.75, 1, undefined],
      loss: [8, 9, undefined],
      steps: [1e7, 1e7, undefined],
    }),
  ],
  [
    {
      ...UNJUDGED,
      hypothesis: 'better',
      verifier: 'welch_t_test',
      condition: 'high_lr',
      metrics: ['accuracy'],
      result: {
        ok: true,
        values: { p_value: 0.04321, statistic: -2, significant: true, note: { n: [1, 2] } },
      },
    },
    {
      ...UNJUDGED,
      hypothesis: 'cheaper',
      verifier: 'broken',
      condition: 'high_lr',
      metrics: ['loss', 'steps'],
      result: { ok: false, message: 'verifier broken threw TypeError: x is not a function' },
    },
  ],
);

test('metrics by the hundred thousand are compared, in a time that grows with their number', () => {
  const values = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`metric ${i}`, [i]]));
  const manifests = [manifestOf('baseline', values), manifestOf('high', values)];
  const model = compareConditions({ name: 'lab', description: 'Many.' }, manifests, []);
  expect(renderTable(model).split('\n')).toHaveLength(140_000 + 5);
  expect(renderMarkdown(model).length).toBeLessThan(70_000);
}, 60_000);

test('a difference far smaller than the spread is shown where pairs tell it', async () => {
  const noise = Array.from({ length: 12 }, (_, i) => 10 * Math.sin(13 * i));
  const manifests = [
    manifestOf('baseline', { seconds: noise.map((x) => 100 + x) }),
    manifestOf('constant', { seconds: noise.map((x) => 100.25 + x) }),
    manifestOf('tiny', { seconds: noise.map((x, i) => 100.004 + x + 0.001 * Math.cos(i)) }),
  ];
  const model = compareConditions({ name: 'lab', description: undefined }, manifests, []);
  const shown = '+0.00397 [+0.00350, +0.00443]';
  const row = `tiny       101.37 ± 7.28  12  ${shown}  5.38  (higher)`;
  expect(renderTable(model)).toContain(row);
  expect(renderTable(model)).toContain('+0.25000 [+0.25000, +0.25000]');
  expect(renderMarkdown(model)).toContain(`| ${shown} |`);
  expect(await renderPage(dossierOf(model))).toContain(
    '<td class="n">+0.00397</td><td class="n">[+0.00350, +0.00443]</td>',
  );
});

test('an interval that just leaves zero out is not shown as if it ended there', async () => {
  const manifests = [
    manifestOf('baseline', { seconds: [0, 0, 0, 0] }),
    manifestOf('slow', { seconds: [0.2996, 1.2996, 1.2996, 2.2996] }),
  ];
  const model = compareConditions({ name: 'lab', description: undefined }, manifests, []);
  const shown = '+1.2996 [+0.0004, +2.5988]';
  expect(renderTable(model)).toContain(`slow       1.300 ± 0.816  4   ${shown}  1.59  (higher)`);
  expect(renderMarkdown(model)).toContain(shown);
  expect(await renderPage(dossierOf(model))).toContain('[+0.0004, +2.5988]');
});

test('what is the same is so without a test, in all reports', async () => {
  const manifests = [manifestOf('baseline', { loss: [1, 2, 3] }), manifestOf('new', { loss: [1, 2, 3] })];
  const model = compareConditions({ name: 'lab', description: undefined }, manifests, []);
  for (const text of [renderTable(model), renderMarkdown(model), await renderPage(dossierOf(model))]) {
    expect(text).toMatch(/\bsame\b/);
    expect(text).not.toContain('(same)');
  }
});

test('a metric without a counterpart in the baseline has no difference', async () => {
  const manifests = [
    manifestOf('baseline', { loss: [1, 2, 3, 4] }),
    manifestOf('new', { accuracy: [1, 2, 3, 4] }),
  ];
  const asked = testedVerdicts('asked', 'accuracy', manifests);
  const model = compareConditions({ name: 'lab', description: undefined }, manifests, asked);
  for (const text of [renderTable(model), renderMarkdown(model), await renderPage(dossierOf(model))])
    expect(text.replace(/<script.*?<\/script>/gs, '')).not.toMatch(/\bNaN\b/);
  expect(renderTable(model)).toMatch(/accuracy {2}new +2\.50 ± 1\.29 {2}4 \(0 paired\) +–/);
});

test.each([
  ['their ends', ['lr_0.001_depth_2', 'lr_0.001_depth_4', 'lr_0.01_depth_2']],
  ['long names by their ends', [2, 7].map((digit) => `gpt-4o-mini-2024-07-18-temperature-0.${digit}`)],
  ['long names in their middle', ['a', 'b'].map((letter) => `${'x'.repeat(40)}-${letter}-${'y'.repeat(12)}`)],
])('%s are shown where nothing else tells conditions apart', (_, names) => {
  const draws = [0.51, 0.62, 0.58, 0.71];
  const manifests = [
    manifestOf('baseline', { p95_latency_ms: draws }),
    ...names.map((name, i) =>
      manifestOf(name, { p95_latency_ms: draws.map((x, replicate) => x + 0.1 * i + 0.01 * replicate) }),
    ),
  ];
  const verdicts = testedVerdicts('faster', 'p95_latency_ms', manifests);
  const model = compareConditions({ name: 'lab', description: undefined }, manifests, verdicts);
  for (const width of [80, 100]) {
    const [metrics = [], tests = []] = renderTable(model, { width })
      .split('\n\n')
      .slice(1)
      .map((block) => block.split('\n').filter((line) => /\d \(|\d {2}|yes|no$/.test(line)));
    for (const table of [metrics, tests]) {
      const shown = table.map((line) => line.replace('p95_latency_ms', '').trim().split(/ {2,}/)[0]);
      expect(new Set(shown.filter((name) => name !== 'baseline')).size).toBe(names.length);
      expect(table.every((line) => line.length <= width)).toBe(true);
    }
  }
});

test('what a hypothesis sets is told beside its numbers, and in summary.json', async () => {
  const manifests = [
    manifestOf('baseline', { loss: [1, 2, 3, 4] }),
    manifestOf('new', { loss: [2, 3.5, 4, 6] }),
  ];
  const verdicts = [
    ...testedVerdicts('one side', 'loss', manifests, { alpha: 0.001, alternative: 'greater' }),
    ...testedVerdicts('the same', 'loss', manifests, { verifier: 'equivalence', margin: 0.5 }),
    ...testedVerdicts('not larger', 'loss', manifests, {
      require: 'not-worse',
      margin: 5,
      better: 'lower',
    }),
    ...testedVerdicts('sure', 'loss', manifests, { require: 'significant' }),
    ...testedVerdicts('plain', 'loss', manifests),
  ];
  const model = compareConditions({ name: 'lab', description: undefined }, manifests, verdicts);
  const table = renderTable(model);
  expect(table).toContain('(paired_t_test, each condition vs baseline; alternative greater; alpha 0.001)');
  expect(table).toContain('(equivalence, each condition vs baseline; margin 0.5; 90 % interval)');
  expect(table).toContain('(paired_t_test, each condition vs baseline; margin 5; required: not worse)');
  expect(table).toContain('(paired_t_test, each condition vs baseline; required: significant)');
  expect(table).toContain('(paired_t_test, each condition vs baseline)');
  expect(renderMarkdown(model)).toContain('vs baseline; alternative greater; alpha 0.001');
  expect(await renderPage(dossierOf(model))).toContain('against the baseline; margin 0.5');
  expect(JSON.parse(renderSummary(model)).hypotheses).toMatchObject([
    { hypothesis: 'one side', alpha: 0.001, alternative: 'greater' },
    { hypothesis: 'the same', alpha: 0.05, margin: 0.5 },
    { hypothesis: 'not larger', alpha: 0.05, margin: 5, require: 'not-worse' },
    { hypothesis: 'sure', alpha: 0.05, require: 'significant' },
    { hypothesis: 'plain', alpha: 0.05 },
  ]);
});

test('where pairs are broken, it is told of how many the difference is: the means beside it may say the opposite', async () => {
  const gone = undefined;
  const manifests = [
    manifestOf('baseline', { seconds: [gone, gone, 3, 4, 5, 16, 17] }),
    manifestOf('high', { seconds: [1, 2, 4, 5, 6.5, gone, gone] }),
    manifestOf('fewer', { seconds: [gone, gone, 4, 5, 6.5, gone, gone] }),
  ];
  const model = compareConditions({ name: 'lab', description: undefined }, manifests, []);
  expect(renderTable(model)).toMatch(/high +3\.70 ± 2\.22 {2}5 \(3 paired\) +\+1\.17 /);
  expect(renderTable(model)).toMatch(/fewer +5\.17 ± 1\.26 +3 +\+1\.17 /);
  expect(renderMarkdown(model)).toContain('| high | 3.70 ± 2.22 | 5 (3 paired) | +1.17 ');
  expect(await renderPage(dossierOf(model))).toContain('<td class="n">5 (3 paired)</td>');
});

/** Whatever a step, a verifier or a folder may be called and return. */
const hostile = (text: string): ReportModel =>
  compareConditions(
    { name: 'lab', description: text },
    [
      manifestOf('c'.repeat(100), { [text]: [-1.234567e-100, 1.2e100, Number.NaN] }),
      manifestOf('baseline', { [text]: [1e300, undefined, Number.NEGATIVE_INFINITY] }),
    ],
    [
      {
        ...UNJUDGED,
        hypothesis: text,
        verifier: text,
        condition: 'c'.repeat(100),
        metrics: [text, text],
        result: { ok: true, values: { [text]: text, other: 1 } },
      },
      {
        ...UNJUDGED,
        hypothesis: text,
        verifier: text,
        condition: 'x',
        metrics: [text],
        result: { ok: false, message: `${text}\n${text}` },
      },
    ],
  );

const validate = new Ajv({ allowUnionTypes: true }).compile(SUMMARY_SCHEMA);

const TEXTS = {
  'long text': 'w'.repeat(300),
  'long sentences': 'many words '.repeat(60),
  'control characters': '\u001b[31m\u0007\r\n\u202eevil\u0000',
  emoji: '🧪'.repeat(100),
  markup: '```\n# <script>alert(1)</script> | a | b |',
};

test.each([
  ['table.txt', renderTable],
  ['report.md', renderMarkdown],
  ['summary.json', renderSummary],
])('%s', async (file, render) => {
  await expect(render(MODEL)).toMatchFileSnapshot(`../golden/report/${file}`);
});

test('the schema has every key that a summary has, and no other is allowed', () => {
  const summary = JSON.parse(renderSummary(MODEL));
  expect(validate(summary), JSON.stringify(validate.errors)).toBe(true);
  expect(validate({ ...summary, extra: 1 })).toBe(false);
  expect(validate({ ...summary, metrics: [{ ...summary.metrics[0], extra: 1 }] })).toBe(false);
});

test('colour is the verdicts’ alone, and only where it is asked for', () => {
  const plain = renderTable(MODEL);
  const coloured = renderTable(MODEL, { colour: true });
  expect(plain).not.toContain('\u001b');
  expect(coloured).toContain('\u001b[36mhigher\u001b[39m');
  expect(stripVTControlCharacters(coloured)).toBe(plain);
});

test('a description that is longer than the terminal is told to its end', () => {
  const description = 'Which prompt gets the most customer tickets routed right, and what does it cost?';
  const table = renderTable(compareConditions({ name: 'lab', description }, [], []), { width: 80 });
  expect(table.split('\n\n')[0]?.replace(/\s+/g, ' ')).toBe(`lab: ${description}`);
  expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('an experiment without metrics says so', () => {
  expect(
    renderTable(compareConditions({ name: 'lab', description: undefined }, [manifestOf('baseline', {})], [])),
  ).toBe('lab: 1 condition\n\n  No metrics were recorded.\n');
});

describe.each(Object.entries(TEXTS))('with %s in every name', (_what, text) => {
  test('the table has at most 100 columns', () => {
    const lines = renderTable(hostile(text)).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  });
  test('nothing reaches the terminal that it would obey', () => {
    expect(renderTable(hostile(text)).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(renderMarkdown(hostile(text)).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  });
  test('no character is cut in two', () => {
    expect(renderTable(hostile(text))).not.toMatch(/\p{Surrogate}/u);
  });
  test('the summary is JSON that has the name as it is, and keeps to its schema', () => {
    const summary = JSON.parse(renderSummary(hostile(text)));
    expect(summary).toMatchObject({ metrics: [{ metric: text }, {}] });
    expect(validate(summary), JSON.stringify(validate.errors)).toBe(true);
  });
});

test.each([
  [0, '0'],
  [-0, '0'],
  [1, '1'],
  [-12.3456, '-12.35'],
  [1234.567, '1234.57'],
  [999_999, '999999'],
  [1_234_567, '1.235e+6'],
  [0.000123456, '0.0001235'],
  [0.0000123, '1.230e-5'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-∞'],
])('%d is shown as %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test.each([
  [1.483e-300, '1.48e-300'],
  [-1_234_567, '-1.23e+6'],
  [999_999, '999999'],
  [0.5, '0.5'],
  [-0, '0'],
])('%f has three digits, or all before the point, where there is little room', (value, text) => {
  expect(formatShort(value)).toBe(text);
});

test.each([72, 80, 100])('no line is longer than a terminal of %d columns', (width) => {
  for (const line of renderTable(MODEL, { width }).split('\n'))
    expect(line.length).toBeLessThanOrEqual(width);
});
