import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { conditionAt, conditionsOf, resolveCondition } from '../../plugin/graph/conditions.ts';
import { type Resolution, resolveGraph } from '../../plugin/graph/resolve.ts';
import { conditionId, planConditions, withUpstream } from '../../plugin/runtime/plan.ts';
import { configOf } from '../support/configs.ts';
import { textOf, type World, world } from './graphs.ts';
import { Reference } from './reference.ts';

const RUNS = { numRuns: 100 };

function resolve({ experiments }: World): Resolution {
  return resolveGraph(experiments.map((sketch) => configOf(textOf(sketch), `${sketch.name}/config.yaml`)));
}

function check(property: (world: World, resolution: Resolution, reference: Reference) => void): void {
  fc.assert(
    fc.property(world, (drawn) => property(drawn, resolve(drawn), new Reference(drawn))),
    RUNS,
  );
}

test('an experiment is in the graph unless replicates disagree at it or before it', () => {
  check(({ experiments }, { graph, diagnostics }, reference) => {
    for (const { name } of experiments) {
      expect(graph.experiments.get(name)?.replicates ?? 'mismatch').toBe(reference.replicates(name));
    }
    const disagreeing = experiments.filter(({ name }) => reference.replicates(name) === 'mismatch');
    expect(diagnostics.length === 0).toBe(disagreeing.length === 0);
  });
});

test('every upstream stands before its downstream', () => {
  check((_world, { graph }, reference) => {
    expect([...graph.order].sort()).toEqual([...graph.experiments.keys()].sort());
    for (const name of graph.order) {
      for (const up of reference.upstream(name))
        expect(graph.order.indexOf(up)).toBeLessThan(graph.order.indexOf(name));
    }
  });
});

test('the order does not depend on the order of the files', () => {
  check(({ experiments }, { graph }) => {
    expect(resolve({ experiments: [...experiments].reverse() }).graph.order).toEqual(graph.order);
  });
});

test('conditions are the own ones and those of the upstream, each once', () => {
  check((_world, { graph }, reference) => {
    for (const name of graph.order) {
      const conditions = conditionsOf(graph, name);
      expect(conditions[0]).toBe('baseline');
      expect([...conditions].sort()).toEqual([...reference.conditions(name)].sort());
    }
  });
});

test('an upstream is read at the treatment that reaches it, else at its baseline', () => {
  check((_world, { graph }, reference) => {
    for (const name of graph.order) {
      for (const condition of ['baseline', 't1', 't2', 't3', 't4']) {
        const expected = reference.conditions(name).has(condition) ? condition : 'baseline';
        expect(conditionAt(graph, name, condition)).toBe(expected);
      }
    }
  });
});

test('context and sources of every condition are those of the rules', () => {
  check((_world, { graph }, reference) => {
    for (const name of graph.order) {
      for (const condition of conditionsOf(graph, name)) {
        const { context, sources } = resolveCondition(graph, name, condition);
        expect(context).toEqual(reference.context(name, condition));
        expect(
          new Map(sources.map((s) => [s.alias, s.type === 'artifact' ? conditionId(s) : undefined])),
        ).toEqual(reference.sources(name, condition));
      }
    }
  });
});

test('what a condition needs is all that it reads, directly or not, and nothing else', () => {
  check((_world, { graph }, reference) => {
    for (const experiment of graph.order) {
      for (const condition of conditionsOf(graph, experiment)) {
        const needed = withUpstream(graph, [{ experiment, condition }]).map(conditionId);
        expect([...needed].sort()).toEqual([...reference.closure(experiment, condition)].sort());
      }
    }
  });
});

test('a plan waits for exactly what it reads, and that stands before it', () => {
  check((_world, { graph }, reference) => {
    const all = graph.order.flatMap((experiment) =>
      conditionsOf(graph, experiment).map((condition) => ({ experiment, condition })),
    );
    const done = new Set<string>();
    for (const { id, experiment, condition, waitsFor } of planConditions(graph, [...all].reverse())) {
      const reads = [...reference.sources(experiment, condition).values()].filter(
        (source) => source !== undefined,
      );
      expect(new Set(waitsFor)).toEqual(new Set(reads));
      for (const before of waitsFor) expect(done.has(before)).toBe(true);
      done.add(id);
    }
    expect(done.size).toBe(all.length);
  });
});
