import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readExperiments } from '../../../plugin/build/io/discover.js';
import { Interpreters } from '../../../plugin/build/io/python/interpreter.js';
import { renderTable } from '../../../plugin/build/report/table.js';
import { type Comparison, Comparisons } from '../../../plugin/build/runtime/compare/comparisons.js';
import { workersOf } from '../../../plugin/build/workers/create-worker.js';
import { WorkerPool } from '../../../plugin/build/workers/pool/worker-pool.js';
import { config, Lab } from '../../support/engine.ts';

const STEPS = `
export const step = (i, ctx) => {
  const { shift = 0, fails = -1 } = ctx.params;
  if (i === fails) throw new Error('no');
  const noise = Math.sin(i * 12.9898) / 2;
  ctx.metrics.add('score', 10 + noise + shift * (1 + Math.cos(i) / 3));
  ctx.metrics.add('steady', 10 + noise + (shift * Math.sin(i * 7)) / 100);
  for (const part of [1, 2, 3]) ctx.metrics.add('parts', part + i + shift);
};
`;

const VERIFIERS = `
export const welch_t_test = () => ({ p_value: 0.03, significant: true, own: 'yes' });
export const shaky = (baseline, treatment) => ({ p_value: treatment.score[0] > 11 ? 0.02 : 0.9, significant: true });
export const silent = () => ({ note: 'no p' });
`;

const SETTINGS = {
  replicates: 12,
  treatments: { large: { shift: 2 }, none: { other: 1 } },
};

let lab: Lab;
beforeAll(async () => {
  lab = new Lab({
    'lab/config.yaml': config(SETTINGS),
    'lab/datasources.mjs': 'export const source = (ctx) => ctx.replicate;\n',
    'lab/steps.mjs': STEPS,
    'lab/verifiers.mjs': VERIFIERS,
    'bare/config.yaml': config(SETTINGS),
    'bare/datasources.mjs': 'export const source = (ctx) => ctx.replicate;\n',
    'bare/steps.mjs': STEPS,
  });
  await lab.run({ workers: 2 });
});
afterAll(() => lab[Symbol.dispose]());

/** Compares what was run, under other hypotheses. */
async function compare(hypotheses: readonly object[], name: 'lab' | 'bare' = 'bare'): Promise<Comparison> {
  lab.write({ [`${name}/config.yaml`]: config({ ...SETTINGS, hypotheses }) });
  return await compareIn(lab, name);
}

async function compareIn(lab: Lab, name: string): Promise<Comparison> {
  const { graph, diagnostics } = readExperiments(lab.root, [`${name}/config.yaml`]);
  expect(diagnostics).toEqual([]);
  const pool = new WorkerPool(1, workersOf());
  try {
    const interpreters = new Interpreters(lab.root, undefined);
    return await new Comparisons(lab.root, graph, pool, interpreters).compare(name);
  } finally {
    await pool.close();
  }
}

const valuesOf = ({ model }: Comparison): unknown[] =>
  (model?.verdicts ?? []).map(({ result }) => (result.ok ? result.values : result.message));

describe('built-in tests', () => {
  test('need no module, and the paired t test is the default', async () => {
    const comparison = await compare([{ metrics: 'score' }]);
    expect(comparison.problems).toEqual([]);
    const [large, none] = valuesOf(comparison);
    expect(large).toMatchObject({ significant: true, n: 12, dropped: 0, effect: 'd_z' });
    expect(none).toMatchObject({ difference: 0, significant: false });
    expect(renderTable(comparison.model as never)).toContain(
      'paired_t_test (paired_t_test, each condition vs baseline',
    );
  });

  test('are one test for each metric, and their p-values are corrected together', async () => {
    const comparison = await compare([
      { name: 'all', metrics: ['score', 'steady'], verifier: 'wilcoxon_signed_rank' },
      { name: 'raw', metrics: 'score', correction: 'none' },
    ]);
    const verdicts = comparison.model?.verdicts ?? [];
    expect(verdicts.map(({ metrics, corrected }) => [metrics.join(), corrected?.tests])).toEqual([
      ...[
        ['score', 2],
        ['steady', 2],
        ['score', 2],
        ['steady', 2],
      ].map(([metric]) => [metric, expect.any(Number)]),
      ['score', expect.any(Number)],
      ['score', expect.any(Number)],
    ]);
    for (const { corrected, result } of verdicts) {
      if (!result.ok) throw new Error(result.message);
      const { p_value, p_adjusted } = result.values as Record<string, number>;
      if (corrected?.correction === 'none') expect(p_adjusted).toBe(p_value);
      else if (Number.isFinite(p_value)) expect(p_adjusted).toBeGreaterThanOrEqual(p_value as number);
    }
  });

  test('of a metric that is recorded several times take the mean of each replicate, and say so', async () => {
    const comparison = await compare([{ metrics: 'parts' }]);
    expect(valuesOf(comparison)[0]).toMatchObject({
      difference: 2,
      n: 12,
      nested: 'the mean of each replicate',
    });
    expect(renderTable(comparison.model as never)).toContain('its mean counts');
  });

  test('a metric that no replicate recorded is an error, with the nearest name', async () => {
    for (const verifier of ['paired_t_test', 'silent']) {
      const comparison = await compare([{ name: 'typo', metrics: ['score', 'scoer'], verifier }], 'lab');
      expect(comparison).toMatchObject({
        problems: ['hypothesis "typo": no replicate recorded the metric "scoer". Did you mean "score"?'],
      });
    }
  });

  test('every one fits its table into 100 columns', async () => {
    for (const verifier of [
      'paired_t_test',
      'welch_t_test',
      'wilcoxon_signed_rank',
      'mann_whitney_u',
      'sign_flip_permutation',
      'bootstrap_ci',
      'equivalence',
    ]) {
      const comparison = await compare([
        { name: 'differs', metrics: ['score', 'steady'], verifier, margin: 1 },
      ]);
      const text = renderTable(comparison.model as never);
      expect(text).toContain(`differs (${verifier}`);
      expect(text.includes('a bootstrap interval is too narrow')).toBe(verifier === 'bootstrap_ci');
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    }
  });
});

describe('verifiers of the user', () => {
  test('go before built-in ones of that name, and are corrected too', async () => {
    const comparison = await compare(
      [
        { metrics: 'score', verifier: 'welch_t_test' },
        { metrics: 'score', verifier: 'paired_t_test' },
        { metrics: 'score', verifier: 'silent' },
      ],
      'lab',
    );
    expect(comparison.problems).toEqual([]);
    const values = valuesOf(comparison);
    expect(values[0]).toEqual({ p_value: 0.03, p_adjusted: 0.06, significant: false, own: 'yes' });
    expect(values[2]).toMatchObject({ effect: 'd_z' });
    expect(values[4]).toEqual({ note: 'no p' });
  });

  const MISTAKEN = [
    ['above', '{ p_value: 2 }', "{'p_value': 2}", 'returned 2 for "p_value" instead of a number from 0 to 1'],
    ['below', '{ p_value: -0.1 }', "{'p_value': -0.1}", 'returned -0.1 for "p_value"'],
    ['endless', '{ p_value: Infinity }', "{'p_value': float('inf')}", 'returned "Infinity" for "p_value"'],
    ['text', '{ p_value: "0.03" }', "{'p_value': '0.03'}", 'returned "0.03" for "p_value"'],
    ['truth', '{ p_value: true }', "{'p_value': True}", 'returned true for "p_value"'],
    [
      'listed',
      '{ p_value: [0.03] }',
      "{'p_value': [0.03]}",
      /returned a (list|value of the type list) for "p_value"/,
    ],
    [
      'yes',
      '{ significant: "yes" }',
      "{'significant': 'yes'}",
      'returned "yes" for "significant" instead of true or false',
    ],
    ['bare', '[0.03, true]', '(0.03, True)', /returned (a list|tuple) instead of a mapping/],
  ] as const;

  test.each(['mjs', 'py'])('that return what is no verdict are named (%s)', async (extension) => {
    const text = MISTAKEN.map(([name, js, python]) =>
      extension === 'py'
        ? `def ${name}(baseline, treatment): return ${python}\n`
        : `export const ${name} = () => (${js});\n`,
    ).join('');
    lab.write({ [`bare/verifiers.${extension}`]: text });
    try {
      const hypotheses = MISTAKEN.map(([verifier]) => ({ metrics: 'score', verifier }));
      const { problems, model } = await compare(hypotheses);
      expect(problems).toHaveLength(MISTAKEN.length);
      for (const [i, [name, , , message]] of MISTAKEN.entries()) {
        expect(problems[i]).toMatch(message);
        expect(problems[i]).toContain(`hypothesis "${name}": verifier ${name} returned`);
      }
      expect(model?.verdicts.some(({ result }) => result.ok)).toBe(false);
    } finally {
      rmSync(join(lab.root, `bare/verifiers.${extension}`));
    }
  });

  test.each([
    [
      'mjs',
      'export const own = (baseline, treatment) => ({ p_value: treatment.score[0] > 11 ? NaN : 1 + 1e-15, significant: null });\n',
    ],
    [
      'py',
      "def own(baseline, treatment): return {'p_value': float('nan') if treatment['score'][0] > 11 else 1 + 1e-15, 'significant': None}\n",
    ],
  ])('may leave open what they cannot tell, and round (%s)', async (extension, text) => {
    lab.write({ [`bare/verifiers.${extension}`]: text });
    try {
      const comparison = await compare([{ metrics: 'score', verifier: 'own' }]);
      expect(comparison.problems).toEqual([]);
      expect(valuesOf(comparison)).toEqual([
        { p_value: 1, significant: false },
        { p_value: 'NaN', significant: false },
      ]);
    } finally {
      rmSync(join(lab.root, `bare/verifiers.${extension}`));
    }
  });

  test('a name that is neither a function nor a test is an error', async () => {
    const comparison = await compare([{ metrics: 'score', verifier: 'welch' }], 'lab');
    expect(comparison).toMatchObject({
      problems: [
        'hypothesis "welch": lab/verifiers.mjs does not export a function "welch". Known functions of lab/verifiers.mjs: shaky, silent, welch_t_test. Known built-in tests: paired_t_test, welch_t_test, wilcoxon_signed_rank, mann_whitney_u, sign_flip_permutation, bootstrap_ci, equivalence.',
      ],
    });
  });
});

describe('gates', () => {
  test('a difference that is required and not found fails the comparison, with its numbers', async () => {
    const gate = { name: 'better', metrics: 'score', require: 'significant' };
    const comparison = await compare([gate]);
    expect(comparison).toMatchObject({
      problems: [
        'hypothesis "better" requires a significant difference, and none vs baseline on score is not significant: no replicate differs',
      ],
    });
    expect(comparison.model?.verdicts).toHaveLength(2);
    expect(lab.read('bare/results/report/summary.json')).toContain(
      '"gate":"hypothesis \\"better\\" requires',
    );
  });

  test('a significant difference has to be on the good side, where one is named', async () => {
    const gate = { name: 'better', metrics: 'score', require: 'significant', correction: 'none' };
    const gatesOf = async (more: object): Promise<(string | undefined)[]> =>
      ((await compare([{ ...gate, ...more }])).model?.verdicts ?? [])
        .filter(({ condition }) => condition === 'large')
        .map(({ gate: failed }) => failed);
    expect(await gatesOf({ better: 'higher' })).toEqual([undefined]);
    expect(await gatesOf({})).toEqual([undefined]);
    expect(await gatesOf({ better: 'lower' })).toEqual([
      'hypothesis "better" requires a significant difference for the better, and large vs baseline on score is significantly higher, which is worse',
    ]);
  });

  test('not-worse looks at the bad end of the interval', async () => {
    const gate = { name: 'safe', metrics: 'steady', require: 'not-worse' };
    expect((await compare([{ ...gate, margin: 0.1 }])).problems).toEqual([]);
    expect((await compare([{ ...gate, metrics: 'score', margin: 0.1 }])).problems).toEqual([]);
    const worse = await compare([{ ...gate, metrics: 'score', margin: 0.1, better: 'lower' }]);
    expect(worse.problems.join('\n')).toMatch(
      /^hypothesis "safe" requires that large vs baseline on score is not worse by 0\.1000 or more: the difference is 1\.\d+, and may be as bad as 2\.\d+$/,
    );
    const own = await compare([{ ...gate, metrics: 'score', verifier: 'shaky', margin: 1 }], 'lab');
    expect(own.problems.join('\n')).toContain('requires an interval');
  });

  test('all that are not passed are told', async () => {
    const gate = { name: 'safe', metrics: ['score', 'steady'], require: 'significant', alternative: 'less' };
    const comparison = await compare([gate]);
    const seen = comparison.problems.map((problem) => /, and (.*) is not/.exec(problem)?.[1]);
    expect(seen.sort()).toEqual([
      'large vs baseline on score',
      'large vs baseline on steady',
      'none vs baseline on score',
      'none vs baseline on steady',
    ]);
  });
});

test('conditions that ran with different seeds are not compared', async () => {
  using other = new Lab({
    'lab/config.yaml': config(SETTINGS),
    'lab/datasources.mjs': 'export const source = (ctx) => ctx.replicate;\n',
    'lab/steps.mjs': STEPS,
  });
  await other.run();
  await other.run({ only: ['lab/large'], seed: 5 });
  expect(await compareIn(other, 'lab')).toEqual({
    problems: [
      'replicate 0 had the seed 0 under "baseline" and 5 under "large", so that they are no pair. Run the conditions of "lab" again with one seed.',
    ],
    model: undefined,
  });
  await other.run({ seed: 5 });
  expect((await compareIn(other, 'lab')).problems).toEqual([]);
});
