import { describe, expect, test } from 'vitest';
import { planConditions, replicateSeed, withUpstream } from '../../plugin/runtime/plan.ts';
import { graphOf } from '../support/configs.ts';
import { plannedLab } from '../support/plans.ts';

describe('the seed of a replicate', () => {
  test.each([
    [0, 0, 0],
    [42, 0, 42],
    [42, 1, 31379],
    [42, 11, 344_749],
    [4_294_967_295, 1, 31_336],
    [4_294_967_295, 9_999_999, (4_294_967_295 + 9_999_999 * 31_337) % 4_294_967_296],
  ])('of root seed %d and index %d is %d', (seed, replicate, expected) => {
    expect(replicateSeed(seed, replicate)).toBe(expected);
  });

  test('agrees with exact integers for every count that a configuration may ask for', () => {
    for (let i = 0; i < 10_000_000; i += 99_991) {
      expect(BigInt(replicateSeed(4_294_967_295, i))).toBe(
        (4_294_967_295n + BigInt(i) * 31_337n) % 2n ** 32n,
      );
    }
  });
});

const GRAPH = graphOf({
  a: 'datasource: { raw: load }\nsteps: [run]\nreplicates: 3\noutputs: { out: {} }\ntreatments: { at_a: {} }\n',
  b: 'datasource: { up: a#out, raw: load }\nsteps: [run]\nseed: 7\nreplicates: 8\nexecution: { workers: 2 }\ntreatments: { at_b: { x: 1 } }\n',
});

test('upstream is added at the condition that is read, once', () => {
  const wanted = ['baseline', 'at_b', 'at_a'].map((condition) => ({ experiment: 'b', condition }));
  expect(withUpstream(GRAPH, wanted).map((ref) => `${ref.experiment}/${ref.condition}`)).toEqual([
    'b/baseline',
    'a/baseline',
    'b/at_b',
    'b/at_a',
    'a/at_a',
  ]);
});

describe('a plan', () => {
  const all = withUpstream(GRAPH, [
    { experiment: 'b', condition: 'at_b' },
    { experiment: 'b', condition: 'at_a' },
    { experiment: 'b', condition: 'baseline' },
  ]);
  const plan = planConditions(GRAPH, all);

  test('has upstream before downstream, and conditions in the order of the experiment', () => {
    expect(plan.map((p) => p.id)).toEqual(['a/baseline', 'a/at_a', 'b/baseline', 'b/at_b', 'b/at_a']);
  });

  test('waits for the upstream condition that it reads', () => {
    expect(plan.map((p) => p.waitsFor)).toEqual([[], [], ['a/baseline'], ['a/baseline'], ['a/at_a']]);
  });

  test('waits for nothing that does not run with it', () => {
    const [alone] = planConditions(GRAPH, [{ experiment: 'b', condition: 'at_a' }]);
    expect(alone?.waitsFor).toEqual([]);
    const [together] = planConditions(GRAPH, [{ experiment: 'b', condition: 'at_a' }], {}, all);
    expect(together?.waitsFor).toEqual(['a/at_a']);
  });

  test('tells how many replicates of the upstream there are to cycle through', () => {
    expect(plan[2]).toMatchObject({
      replicates: 8,
      seed: 7,
      sources: [{ alias: 'up', upstreamReplicates: 3, upstreamFolder: 'a' }, { alias: 'raw' }],
      bareSource: false,
    });
  });
});

describe('overrides', () => {
  test('reach the upstream too, so that both have as many replicates', () => {
    const [a, b] = planConditions(GRAPH, withUpstream(GRAPH, [{ experiment: 'b', condition: 'baseline' }]), {
      replicates: 2,
      seed: 9,
      workers: 1,
    });
    expect(a).toMatchObject({ replicates: 2, seed: 9, execution: { workers: 1 } });
    expect(b).toMatchObject({ replicates: 2, seed: 9, sources: [{ upstreamReplicates: 2 }, {}] });
  });

  test('leave alone what they do not name', () => {
    const [b] = planConditions(GRAPH, [{ experiment: 'b', condition: 'baseline' }], { seed: 0 });
    expect(b).toMatchObject({ replicates: 8, seed: 0, execution: { workers: 2 } });
  });
});

describe('the data reaches the first step', () => {
  test('bare from a single function', () => {
    expect(plannedLab().bareSource).toBe(true);
  });
  test('in a mapping from several', () => {
    const graph = graphOf({ lab: 'datasource: { a: load, b: load }\nsteps: [run]\n' });
    expect(planConditions(graph, [{ experiment: 'lab', condition: 'baseline' }])[0]?.bareSource).toBe(false);
  });
  test('in the shape of the base datasource, whatever a treatment swaps in', () => {
    const graph = graphOf({
      up: 'datasource: { raw: load }\nsteps: [run]\noutputs: { out: {} }\n',
      f: 'datasource: { x: load }\nsteps: [run]\ntreatments: { t: { datasource: { x: up#out } } }\n',
      r: 'datasource: { x: up#out }\nsteps: [run]\ntreatments: { t: { datasource: { x: load } } }\n',
    });
    const bare = (experiment: string, condition: string): unknown =>
      planConditions(graph, [{ experiment, condition }])[0]?.bareSource;
    expect([bare('f', 'baseline'), bare('f', 't')]).toEqual([true, true]);
    expect([bare('r', 'baseline'), bare('r', 't')]).toEqual([false, false]);
  });
});
