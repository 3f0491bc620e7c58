import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { renderDot } from '../../plugin/picture/dot.ts';
import { formatOf, renderPicture, writePicture } from '../../plugin/picture/draw.ts';
import { renderHtml } from '../../plugin/picture/html.ts';
import { drawLayers } from '../../plugin/picture/layers.ts';
import { renderMermaid } from '../../plugin/picture/mermaid.ts';
import { pictureAround, pictureDigest, pictureOf } from '../../plugin/picture/model.ts';
import { graphOf } from '../support/configs.ts';

/** JSON is YAML. */
function graphFrom(configs: Readonly<Record<string, object>>): ReturnType<typeof graphOf> {
  const usual = { datasource: { raw: 'load' }, steps: ['run'] };
  return graphOf(
    Object.fromEntries(
      Object.entries(configs).map(([name, config]) => [name, JSON.stringify({ ...usual, ...config })]),
    ),
  );
}

const NASTY = '</script><b> "q" \\N & #35; `x`\u202e';

const GRAPH = graphFrom({
  a: { outputs: { out: {}, other: {} }, treatments: { warm: { x: 1 } } },
  b: {
    datasource: { in: 'a#out' },
    outputs: { out: {} },
    description: NASTY,
    cli: { group: NASTY, icon: NASTY, color: '#85C1E9' },
  },
  c: {
    datasource: { in: 'b#out' },
    treatments: { cold: { datasource: { in: 'a#other' } } },
  },
  d: {},
});

const folder = mkdtempSync(join(tmpdir(), 'picture-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the digest of a picture', () => {
  const configs = {
    a: { outputs: { out: {}, other: {} } },
    b: { datasource: { in: 'a#out' }, outputs: { out: {} } },
    c: { datasource: { in: 'b#out' } },
    d: { description: 'of no concern' },
  };
  const of = (changed: object): string => pictureDigest(graphFrom({ ...configs, ...changed }), 'c');

  test.each([
    ['a description', { a: { ...configs.a, description: 'other' } }],
    ['an icon', { b: { ...configs.b, cli: { icon: 'x' } } }],
    ['a group', { b: { ...configs.b, cli: { group: 'x' } } }],
    ['a colour', { b: { ...configs.b, cli: { color: '#000000' } } }],
    ['a number of replicates', { a: { ...configs.a, replicates: 7 } }],
    ['what is read', { b: { ...configs.b, datasource: { in: 'a#other' } } }],
    [
      'what a treatment reads',
      { c: { ...configs.c, treatments: { swap: { datasource: { in: 'a#other' } } } } },
    ],
  ])('changes with %s', (_, changed) => {
    expect(of(changed)).not.toBe(of({}));
  });

  test('is the same for the same, whatever is beside it', () => {
    expect(of({ d: { description: 'other' } })).toBe(of({}));
  });
});

describe('what a picture shows', () => {
  test('every experiment and every output that is read under any condition', () => {
    const { nodes, edges } = pictureOf(GRAPH);
    expect(nodes.map(({ name }) => name)).toEqual(GRAPH.order);
    expect(edges).toEqual([
      { from: 'a', to: 'b', outputs: ['out'], swapped: false },
      { from: 'b', to: 'c', outputs: ['out'], swapped: false },
      { from: 'a', to: 'c', outputs: ['other'], swapped: true },
    ]);
  });

  test('of chosen experiments, what they read', () => {
    expect(pictureOf(GRAPH, { experiments: ['b'] }).nodes.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('under a treatment, the condition of each experiment and what is read then', () => {
    const warm = pictureOf(GRAPH, { experiments: ['c'], treatment: 'warm' });
    expect(warm.nodes.map(({ name, condition, treated }) => [name, condition, treated])).toEqual([
      ['a', 'warm', true],
      ['b', 'warm', false],
      ['c', 'warm', false],
    ]);
    const cold = pictureOf(GRAPH, { experiments: ['c'], treatment: 'cold' });
    expect(cold.nodes.map(({ name, condition }) => [name, condition])).toEqual([
      ['a', 'baseline'],
      ['c', 'cold'],
    ]);
    expect(cold.edges).toEqual([{ from: 'a', to: 'c', outputs: ['other'], swapped: true }]);
  });

  test('an unknown name is an error with the nearest one', () => {
    expect(() => pictureOf(GRAPH, { treatment: 'warmm' })).toThrow(
      'No experiment has a treatment "warmm". Did you mean "warm"?',
    );
    expect(() => pictureOf(GRAPH, { experiments: ['e'] })).toThrow('There is no experiment "e".');
  });
});

test('DOT, Mermaid and JSON', async () => {
  await expect(renderDot(pictureOf(GRAPH))).toMatchFileSnapshot('../golden/picture/graph.dot');
  await expect(renderMermaid(pictureOf(GRAPH, { treatment: 'warm' }))).toMatchFileSnapshot(
    '../golden/picture/graph.mmd',
  );
  await expect(await renderPicture(pictureOf(GRAPH), 'json')).toMatchFileSnapshot(
    '../golden/picture/graph.json',
  );
});

describe('hostile texts stay texts', () => {
  test('in SVG', async () => {
    const svg = String(await renderPicture(pictureOf(GRAPH), 'svg'));
    expect(svg).not.toContain('<b>');
    expect(svg).not.toContain('</script>');
    expect(svg).toContain('&lt;/script&gt;&lt;b&gt;');
    expect(svg).toContain('\\N');
  });
  test('in HTML', async () => {
    const html = renderHtml(String(await renderPicture(pictureOf(GRAPH), 'svg')), pictureOf(GRAPH));
    expect(html).not.toContain('<b>');
    expect(html).not.toContain('</script>');
    expect(html).not.toContain('\u202e');
  });
});

describe('files', () => {
  test.each(['graph.svg', 'graph.png', 'graph.html', 'graph.dot', 'graph.mmd', 'graph.json'])(
    '%s',
    async (name) => {
      const path = join(folder, 'new', name);
      await writePicture(pictureOf(GRAPH), path);
      const first = readFileSync(path);
      await writePicture(pictureOf(GRAPH), path);
      expect(readFileSync(path).equals(first)).toBe(true);
      expect(first.length).toBeGreaterThan(150);
      if (name.endsWith('png')) expect(first.subarray(1, 4).toString()).toBe('PNG');
    },
  );
  test('an extension that stands for nothing is an error', () => {
    expect(() => formatOf('graph.xyz')).toThrow('"graph.xyz" does not say what to write');
  });
});

test('two hundred experiments are drawn', async () => {
  const chain = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [
      `e${i}`,
      {
        outputs: { out: {} },
        ...(i < 20
          ? {}
          : { datasource: { x: `e${i - 20}#out`, y: `e${i - 20 + ((i + 1) % 20) - (i % 20)}#out` } }),
      },
    ]),
  );
  const svg = String(await renderPicture(pictureOf(graphFrom(chain)), 'svg'));
  expect(svg.match(/class="node"/g)).toHaveLength(200);
});

test('of a large picture, the nearest part is shown: whole steps upstream, one at least', () => {
  const reads = (...names: string[]) => ({
    datasource: Object.fromEntries(names.map((name, i) => [`in${i}`, `${name}#out`])),
    outputs: { out: {} },
  });
  const source = { outputs: { out: {} } };
  const graph = graphFrom({
    a: source,
    b: source,
    c: reads('a', 'b'),
    d: source,
    e: reads('c', 'd'),
    f: reads('e'),
  });
  const shown = (name: string, most: number): string[] =>
    pictureAround(graph, name, most).nodes.map((one) => one.name);
  expect(pictureAround(graph, 'f', 6)).toEqual(pictureOf(graph, { experiments: ['f'] }));
  expect(shown('f', 5)).toEqual(['d', 'c', 'e', 'f']);
  expect(shown('f', 3)).toEqual(['e', 'f']);
  expect(shown('e', 1)).toEqual(['d', 'c', 'e']);
  expect(pictureAround(graph, 'f', 5).edges.map(({ from, to }) => `${from} ${to}`)).toEqual([
    'c e',
    'd e',
    'e f',
  ]);
});

describe('a picture in columns', () => {
  const svg = drawLayers(pictureAround(GRAPH, 'c', 12));
  const boxes = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="(\d+)"/g)].map(
    ([, ...numbers]) => numbers.map(Number) as [number, number, number, number],
  );

  test('has every box right of what it reads, inside the picture, and none over another', () => {
    const [, width = 0, height = 0] = (/<svg width="(\d+)" height="(\d+)"/.exec(svg) ?? []).map(Number);
    expect(boxes).toHaveLength(3);
    for (const [i, [x, y, w, h]] of boxes.entries()) {
      expect(x >= 0 && y >= 0 && x + w <= width && y + h <= height).toBe(true);
      for (const [left, , wide] of boxes.slice(0, i)) expect(x).toBeGreaterThan(left + wide);
    }
  });

  test('shows each edge with its outputs, dashed where only a treatment reads it', () => {
    expect(svg.match(/marker-end/g)).toHaveLength(3);
    expect(svg.match(/stroke-dasharray/g)).toHaveLength(1);
    expect(svg).toContain('>other<');
  });

  test('is the same every time, and what a name holds stays text', () => {
    expect(drawLayers(pictureAround(GRAPH, 'c', 12))).toBe(svg);
    expect(svg).not.toMatch(/<\/script>|<b>|"q"/);
    expect(svg).not.toContain('\u202e');
  });

  test('has one row for each of many that nothing connects but their reader', () => {
    const names = Array.from({ length: 11 }, (_, i) => `p${i}`);
    const wide = graphFrom({
      ...Object.fromEntries(names.map((name) => [name, { outputs: { out: {} } }])),
      last: { datasource: Object.fromEntries(names.map((name) => [`from_${name}`, `${name}#out`])) },
    });
    const drawn = drawLayers(pictureAround(wide, 'last', 12));
    const tops = [...drawn.matchAll(/<rect x="8" y="([\d.]+)"/g)].map(([, top]) => Number(top));
    expect(new Set(tops).size).toBe(11);
  });
});
