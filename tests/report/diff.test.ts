import { describe, expect, test } from 'vitest';
import { renderDiffJson } from '../../plugin/report/diff/json.ts';
import { renderDiffMarkdown } from '../../plugin/report/diff/markdown.ts';
import { diffSummaries } from '../../plugin/report/diff/model.ts';
import { parseSummary, type Summary } from '../../plugin/report/diff/parse-summary.ts';
import { renderDiffTable } from '../../plugin/report/diff/table.ts';
import { type ConditionFacts, compareConditions } from '../../plugin/report/model.ts';
import { renderSummary } from '../../plugin/report/summary.ts';
import type { ConditionManifest } from '../../plugin/runtime/manifest.ts';
import { manifestOf } from '../support/manifests.ts';

const HOSTILE = '|`<img src=x>`@org\n# [x](http://y)';

function textOf(
  manifests: readonly ConditionManifest[],
  parameters: Readonly<Record<string, number>> = {},
): string {
  const facts = new Map(
    manifests.map(({ condition }): [string, ConditionFacts] => [
      condition,
      { digest: 'a'.repeat(64), parameters, datasource: {} },
    ]),
  );
  return renderSummary(compareConditions({ name: 'lab', description: undefined, facts }, manifests, []));
}

function parsed(text: string): Summary {
  const result = parseSummary(text);
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

function summary(...manifests: readonly ConditionManifest[]): Summary {
  return parsed(textOf(manifests));
}

const verdict = (significant: boolean) => ({
  hypothesis: 'surer',
  condition: 'warm',
  metrics: ['loss'],
  better: 'lower' as const,
  significant,
});

const BEFORE: Summary = {
  ...parsed(
    textOf(
      [
        manifestOf('baseline', { loss: [1, 2, 3, 4], same: [1, 1, 2, 2] }),
        manifestOf('warm', { loss: [2, 3.1, 4, 5.1], same: [1, 1, 2, 2], old: [1, 1, 1, 1] }),
        manifestOf('cold', { loss: [1, 2, 3, 4] }),
      ],
      { rate: 1 },
    ),
  ),
  verdicts: [verdict(true)],
};
const AFTER: Summary = {
  ...parsed(
    textOf(
      [
        manifestOf('baseline', { loss: [1, 2, 3, 4], same: [1, 1, 2, 2] }),
        manifestOf('warm', { loss: [1, 2, 3, 4, 5], same: [1, 1, 2, 2] }),
        manifestOf(HOSTILE, { [HOSTILE]: [1e-9, 2e300, -3, Number.NaN] }),
      ],
      { rate: 2, [HOSTILE]: 3 },
    ),
  ),
  verdicts: [verdict(false)],
};

describe('exact texts', () => {
  const model = diffSummaries(BEFORE, AFTER, { base: 'HEAD~1 (12345678)', notes: [`Something ${HOSTILE}`] });
  test.each([
    ['diff.txt', renderDiffTable],
    ['diff.md', renderDiffMarkdown],
    ['diff.json', renderDiffJson],
  ])('%s', async (file, render) => {
    await expect(render(model)).toMatchFileSnapshot(`../golden/report/diff/${file}`);
  });
  test('names that begin alike are told apart in 80 columns: numbers go before them', () => {
    const side = (by: number): Summary =>
      summary(
        ...['baseline', 'lr_0.001_depth_2', 'lr_0.001_depth_4', 'lr_0.01_depth_4'].map((name, i) =>
          manifestOf(name, {
            accuracy_of_labels: [1, 2.5, 3, 4].map((x) => 0.1 * (x + i) + by * x),
            accuracy_of_texts: [1, 2.5, 3, 4].map((x) => 0.1 * (x + i) - by * x * x),
          }),
        ),
      );
    const apart = diffSummaries(side(0), side(0.012_34), { base: 'main' });
    const lines = renderDiffTable(apart, 80).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const rows = lines.filter((line) => /(higher|lower|unclear)$/.test(line));
    expect(rows).toHaveLength(8);
    expect(new Set(rows.map((line) => line.trim().split(/ {2,}/).slice(0, 2).join())).size).toBe(8);
  });

  test('no line of the table is longer than 100 columns, and none is more than a line', () => {
    for (const line of renderDiffTable(model).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
  test('identical results say so in one line', () => {
    const same = diffSummaries(BEFORE, BEFORE, { base: 'main' });
    expect(renderDiffTable(same)).toBe('lab against main: nothing differs (6 metrics by condition).\n');
    expect(renderDiffMarkdown(same)).toBe(
      '**lab against main: nothing differs (6 metrics by condition).**\n',
    );
  });
});

describe('the method', () => {
  const values = [1, 2, 4];
  const one = (all: readonly (number | undefined)[], seed = 0): Summary => {
    const made = manifestOf('baseline', { m: all });
    const shift = <T extends { seed: number }>(record: T): T => ({ ...record, seed: record.seed + seed });
    return summary({ ...made, replicates: made.replicates.map(shift), failed: made.failed.map(shift) });
  };
  const rowOf = (before: Summary, after: Summary) =>
    diffSummaries(before, after, { base: 'b' }).rows[0]?.comparison;

  test('pairs replicates of the same seed', () => {
    expect(rowOf(one(values), one([2, 3.5, 5]))).toMatchObject({
      method: 'paired',
      difference: 7 / 6,
      n: 3,
      why: 'all replicates have the same seed on both sides',
    });
  });
  test('pairs what more replicates have in common, and says so; that is not identical', () => {
    const before = one(values);
    const after = one([...values, 9]);
    expect(rowOf(before, after)).toMatchObject({
      n: 3,
      same: true,
      why: '3 of 4 replicates have the same seed on both sides',
    });
    expect(diffSummaries(before, after, { base: 'b' }).identical).toBe(false);
  });
  test('a failed replicate drops its pair', () => {
    expect(rowOf(one([1, undefined, 4]), one([2, 9, 5]))).toMatchObject({ n: 2, difference: 1 });
  });
  test('other seeds are two samples', () => {
    expect(rowOf(one(values), one([2, 3, 5], 1))).toMatchObject({
      method: 'welch',
      difference: expect.closeTo(1, 12),
      n: 6,
      why: 'no replicate has the same seed on both sides',
    });
  });
  test('a file of version 1 is compared by its means', () => {
    const old = parsed(
      JSON.stringify({
        version: 1,
        experiment: 'lab',
        conditions: [{ condition: 'baseline', finished: 3, failed: 0 }],
        metrics: [{ metric: 'm', condition: 'baseline', n: 3, missing: 0, mean: 1, sd: 0.5 }],
        hypotheses: [],
      }),
    );
    const model = diffSummaries(old, one(values), { base: 'b' });
    expect(model.rows[0]?.comparison).toMatchObject({
      method: 'welch',
      why: 'no values by replicate on one side',
    });
    expect(model.notes).toEqual([
      'A summary.json of version 1 holds no values by replicate: compared by mean, deviation and number.',
    ]);
  });
  test('what is lower is better when a hypothesis says so', () => {
    const words = (after: Summary) =>
      diffSummaries(BEFORE, after, { base: 'b' }).rows.map(({ word }) => word);
    expect(words(AFTER)).toContain('better');
    expect(words({ ...AFTER, verdicts: [] })).toContain('lower');
  });
});

describe('a summary.json that anybody may have written', () => {
  const good = (): Record<string, unknown> => JSON.parse(textOf([manifestOf('baseline', { m: [1, 2] })]));
  test.each([
    ['{', 'it is no JSON: '],
    ['[]', 'the file must be an object'],
    ['{}', '"version" is missing'],
    [
      JSON.stringify({ ...good(), version: 9 }),
      '"version" is 9; this version of nx-experiments reads 1 to 2.',
    ],
    [JSON.stringify({ ...good(), metrics: [{}] }), '"metrics[0].metric" is missing'],
    [
      JSON.stringify({ ...good(), conditions: [{ condition: 'a', finished: -1 }] }),
      '"conditions[0].finished" must be a whole number from 0',
    ],
    [
      JSON.stringify({
        ...good(),
        metrics: [...(good().metrics as object[]), ...(good().metrics as object[])],
      }),
      '"metrics[1]" stands there twice',
    ],
    [`${'['.repeat(200_000)}`, 'it is '],
    [JSON.stringify({ ...good(), experiment: 3 }), '"experiment" must be text'],
  ])('%#: %s', (text, problem) => {
    const result = parseSummary(text);
    expect(result.ok ? '' : result.problem).toContain(problem);
  });
});
