import { describe, expect, test } from 'vitest';
import { claimsOf } from '../../plugin/config/parse.ts';
import { resolveGraph } from '../../plugin/graph/resolve.ts';
import { configOf, graphOf } from '../support/configs.ts';

const source = (more = ''): string =>
  `datasource: { raw: load }\nsteps: [run]\noutputs: { out: {} }\n${more}`;
const reader = (upstream: readonly string[], more = ''): string =>
  `datasource: { raw: load, ${upstream.map((name) => `${name}: ${name}#out`).join(', ')} }\nsteps: [run]\noutputs: { out: {} }\n${more}`;

describe('the number of replicates', () => {
  test('is 1 without upstream', () => {
    expect(graphOf({ a: source() }).experiments.get('a')?.replicates).toBe(1);
  });

  test('is by default the one that the upstream agrees on', () => {
    const graph = graphOf({ a: source('replicates: 4'), b: source('replicates: 4'), c: reader(['a', 'b']) });
    expect(graph.experiments.get('c')?.replicates).toBe(4);
  });

  test('of an upstream that has 1 agrees with any', () => {
    const graph = graphOf({ a: source(), b: source('replicates: 4'), c: reader(['a', 'b']) });
    expect(graph.experiments.get('c')?.replicates).toBe(4);
  });

  test('passes through a chain', () => {
    const graph = graphOf({ a: source('replicates: 4'), b: reader(['a']), c: reader(['b']) });
    expect(graph.experiments.get('c')?.replicates).toBe(4);
  });

  test('is its own when it has one, greater or smaller', () => {
    const graph = graphOf({
      a: source('replicates: 4'),
      b: reader(['a'], 'replicates: 10'),
      c: reader(['a'], 'replicates: 1'),
    });
    expect([...graph.experiments.values()].map((node) => node.replicates)).toEqual([4, 10, 1]);
  });

  test('must agree upstream, even for an experiment that has its own', () => {
    const configs = [
      configOf(source('replicates: 2'), 'a/config.yaml'),
      configOf(source('replicates: 3'), 'b/config.yaml'),
      configOf(reader(['a', 'b'], 'replicates: 6'), 'c/config.yaml'),
    ];
    const { diagnostics, graph } = resolveGraph(configs);
    expect(diagnostics.map((d) => d.code)).toEqual(['graph/replicate-mismatch']);
    expect(graph.order).toEqual(['a', 'b']);
  });

  test('counts the upstream that only a treatment reads', () => {
    const swap = 'treatments: { other: { datasource: { a: b#out } } }\n';
    const configs = [
      configOf(source('replicates: 2'), 'a/config.yaml'),
      configOf(source('replicates: 3'), 'b/config.yaml'),
      configOf(reader(['a'], swap), 'c/config.yaml'),
    ];
    expect(resolveGraph(configs).diagnostics.map((d) => d.code)).toEqual(['graph/replicate-mismatch']);
  });
});

test('upstream names each experiment once, those of treatments included', () => {
  const graph = graphOf({
    a: source(),
    b: source(),
    c: 'datasource: { x: a#out, y: a#out }\nsteps: [run]\ntreatments: { t: { datasource: { x: b#out } } }\n',
  });
  expect(graph.experiments.get('c')?.upstream).toEqual(['a', 'b']);
});

test('what reads a broken experiment is left out without a second error', () => {
  const reading = configOf(reader(['broken']), 'c/config.yaml');
  const further = configOf(reader(['c']), 'd/config.yaml');
  const { graph, diagnostics } = resolveGraph(
    [reading, further],
    [{ file: 'x/config.yaml', name: 'broken', references: [] }],
  );
  expect(diagnostics).toEqual([]);
  expect(graph.order).toEqual([]);
});

test('what stands behind a cycle is left out, and the rest stays', () => {
  const configs = ['a', 'b', 'c', 'd'].map((name) =>
    configOf(
      name === 'd' ? source() : reader([{ a: 'b', b: 'a', c: 'a' }[name] ?? '']),
      `${name}/config.yaml`,
    ),
  );
  const { graph, diagnostics } = resolveGraph(configs);
  expect(diagnostics.map((d) => d.message)).toEqual(['Experiments read each other in a cycle: a -> b -> a.']);
  expect(graph.order).toEqual(['d']);
});

test('a hypothesis may compare under a treatment of the upstream', () => {
  const graph = graphOf({
    a: source('treatments: { high: {} }\n'),
    b: reader(['a'], 'hypotheses: [{ verifier: t, metrics: loss }]\n'),
  });
  expect(graph.order).toEqual(['a', 'b']);
});

test('references of a config that has problems of its own are checked too, and not those to it', () => {
  const maker = configOf(
    'datasource: { one: one }\nsteps: [make]\noutputs: { made: {} }\n',
    'maker/config.yaml',
  );
  const text = 'datasource: { a: maker#mad, b: broken#x }\nstep: [look]\n';
  const { diagnostics } = resolveGraph(
    [maker],
    [claimsOf('reader/config.yaml', text), { file: 'x/config.yaml', name: 'broken', references: [] }],
  );
  expect(diagnostics.map(({ code, remedy }) => `${code} ${remedy}`)).toEqual([
    'graph/unknown-output Did you mean "made"?',
  ]);
});
