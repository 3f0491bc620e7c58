import fc from 'fast-check';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { expect, test } from 'vitest';
import { compareConditions } from '../../plugin/report/model.ts';
import { type ChartSpec, differencesChart, valuesChart } from '../../plugin/report/page/charts.ts';
import { chartDrawer } from '../../plugin/report/page/draw.ts';
import { scaleOf } from '../../plugin/report/page/scale.ts';
import { manifestOf } from '../support/manifests.ts';

const NUMBER = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: -1e3, max: 1e3, noNaN: true }) },
  { weight: 1, arbitrary: fc.double({ noDefaultInfinity: true, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, -0, Number.NaN, Number.POSITIVE_INFINITY) },
);
const CONDITIONS = fc.array(fc.array(NUMBER, { minLength: 2, maxLength: 12 }), {
  minLength: 1,
  maxLength: 10,
});

/** As whoever pastes the specification of a page into an editor of Vega-Lite sees it. */
async function drawnBySpecification(spec: ChartSpec): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** What is drawn: without what only says so. */
function marksOf(svg: string): string {
  return svg
    .replace(/<[^>]*>/g, (tag) =>
      tag
        .replace(/ (?:role|aria-roledescription|aria-hidden|pointer-events)="[^"]*"/g, '')
        .replace(/\d+\.\d{4,}/g, (number) => String(Math.round(Number(number) * 1000) / 1000)),
    )
    .replace(/ width="\d+" height="\d+"/, '');
}

test('a density far from zero has the shape that it has near to it', () => {
  const values = Array.from(
    { length: 400 },
    (_, i) => Math.round(256 * (Math.sin(i) + Math.sin(7 * i * i))) / 256,
  );
  const densityOf = (shift: number) => {
    const manifests = [manifestOf('baseline', { metric: values.map((x) => x + shift) })];
    const { metrics } = compareConditions({ name: 'lab', description: undefined }, manifests, []);
    const bins = valuesChart(metrics, true).layer[1]?.data.values ?? [];
    return bins.map(({ value, count }) => [Number(value) - shift, count] as const);
  };
  const near = densityOf(0);
  for (const shift of [2 ** 20, -(2 ** 20), 2 ** 34]) {
    const far = densityOf(shift);
    expect(far.map(([, count]) => count)).toEqual(near.map(([, count]) => count));
    for (const [i, [value]] of far.entries()) expect(value).toBeCloseTo(near[i]?.[0] ?? Number.NaN, 1);
  }
});

test.each([
  [-1_000_003, -999_996, 4],
  [1e6, 1e6 + 1, 3],
  [1e300, 1.0000001e300, 2],
  [0, 2e300, 4],
  [0, 1, 5],
])('an axis from %f to %f has ticks enough to see its scale', (low, high, least) => {
  expect(scaleOf([low, high]).ticks.length).toBeGreaterThanOrEqual(least);
});

test('what a page shows is what its specification says, however many charts were drawn before', async () => {
  const draw = await chartDrawer();
  await fc.assert(
    fc.asyncProperty(CONDITIONS, fc.boolean(), async (samples, dense) => {
      const names = samples.map((_, i) => (i === 0 ? 'baseline' : `treatment_${i}`));
      const manifests = samples.map((values, i) => manifestOf(names[i] ?? '', { metric: values }));
      const { metrics } = compareConditions({ name: 'lab', description: undefined }, manifests, []);
      const decided = metrics.map((_, i) => i % 2 === 0);
      for (const spec of [valuesChart(metrics, dense), differencesChart(metrics, decided)]) {
        expect((await draw(spec)).text).toBe(marksOf(await drawnBySpecification(spec)));
      }
    }),
    { numRuns: 150 },
  );
});
