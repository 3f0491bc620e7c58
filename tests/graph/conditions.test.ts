import { describe, expect, test } from 'vitest';
import { conditionAt, conditionsOf, resolveCondition } from '../../plugin/graph/conditions.ts';
import { graphOf } from '../support/configs.ts';

const CHAIN = {
  a: 'datasource: { raw: load }\nsteps: [run]\noutputs: { out: {} }\nparams: { n: 1, m: 1 }\ntreatments: { baseline: { n: 2 }, at_a: { m: 3 } }\n',
  b: 'datasource: { up: a#out }\nsteps: [run]\noutputs: { out: {} }\ntreatments: { at_b: {} }\n',
  c: 'datasource: { up: b#out }\nsteps: [run]\ntreatments: { baseline: { k: 1 }, at_c: { k: 2 } }\n',
};

describe('in a chain of three', () => {
  const graph = graphOf(CHAIN);

  test('each has the conditions of those before it', () => {
    expect(conditionsOf(graph, 'a')).toEqual(['baseline', 'at_a']);
    expect(conditionsOf(graph, 'b')).toEqual(['baseline', 'at_b', 'at_a']);
    expect(conditionsOf(graph, 'c')).toEqual(['baseline', 'at_c', 'at_a', 'at_b']);
  });

  test.each([
    ['at_a', 'at_a', 'at_a'],
    ['at_b', 'at_b', 'baseline'],
    ['at_c', 'baseline', 'baseline'],
  ])('under %s, b is read at %s and a at %s', (treatment, b, a) => {
    expect(conditionAt(graph, 'b', treatment)).toBe(b);
    expect(conditionAt(graph, 'a', treatment)).toBe(a);
    expect(resolveCondition(graph, 'c', treatment).sources).toMatchObject([
      { experiment: 'b', condition: b },
    ]);
  });

  test("a treatment does not inherit the baseline's values, but it does inherit params", () => {
    expect(resolveCondition(graph, 'a', 'baseline').context).toEqual({ n: 2, m: 1 });
    expect(resolveCondition(graph, 'a', 'at_a').context).toEqual({ n: 1, m: 3 });
  });

  test('an experiment without the treatment computes with its baseline values', () => {
    expect(resolveCondition(graph, 'c', 'at_a').context).toEqual({ k: 1 });
    expect(resolveCondition(graph, 'c', 'at_c').context).toEqual({ k: 2 });
  });
});

describe('a treatment that swaps a datasource', () => {
  const graph = graphOf({
    a: CHAIN.a,
    other: 'datasource: { raw: load }\nsteps: [run]\noutputs: { out: { file_name: other.json } }\n',
    c: `datasource: { up: a#out, own: read }\nsteps: [run]\ntreatments:
  baseline: { datasource: { own: { read: { path: base } } } }
  swapped: { datasource: { up: other#out } }
  local: { datasource: { up: make } }\n`,
  });
  const sources = (condition: string): unknown => resolveCondition(graph, 'c', condition).sources;

  test('reads the other experiment, and keeps the sources it does not name', () => {
    expect(sources('swapped')).toMatchObject([
      {
        type: 'artifact',
        alias: 'up',
        experiment: 'other',
        condition: 'baseline',
        output: { fileName: 'other.json' },
      },
      { type: 'function', alias: 'own', name: 'read', args: {} },
    ]);
  });
  test('may put a function in the place of a reference', () => {
    expect(sources('local')).toMatchObject([
      { type: 'function', alias: 'up', name: 'make' },
      { alias: 'own' },
    ]);
  });
  test('is not undone for conditions that come from upstream: the baseline swaps for them too', () => {
    expect(sources('at_a')).toMatchObject([
      { experiment: 'a', condition: 'at_a' },
      { name: 'read', args: { path: 'base' } },
    ]);
  });
  test('brings the conditions of the experiment that it reads', () => {
    expect(conditionsOf(graph, 'c')).toEqual(['baseline', 'swapped', 'local', 'at_a']);
  });
});
