// What draws the charts of a page: all that is known when the package is built is compiled then.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parse } from 'vega';
import { compile } from 'vega-lite';

/** A row of any numbers: a form has none of them. */
const ROW = {
  condition: 'any',
  sample: { values: [1, 2] },
  description: { mean: 1.5 },
  interval: { low: 1, high: 2 },
  comparison: { difference: 1, interval: { low: 0, high: 2 } },
};

/** The parts of Vega that our charts take: its entry brings those that draw maps, trees and clouds of words as well. */
const CODE = `
import { transforms } from 'vega-dataflow';
import * as encode from 'vega-encode';
import * as common from 'vega-transforms';
import * as ofViews from 'vega-view-transforms';
Object.assign(transforms, common, ofViews, encode);
export { textMetrics } from 'vega-scenegraph';
export { View } from 'vega-view';
`;

/** Vega would look for a package that draws on a canvas, and measure texts with it, where somebody has it. */
export const WITHOUT_CANVAS = {
  name: 'without-canvas',
  resolveId: (id) =>
    id === 'vega-canvas'
      ? fileURLToPath(import.meta.resolve('vega-canvas')).replace('.node.', '.browser.')
      : undefined,
};

/** @param build absolute path of the compiled modules */
export async function chartsCode(build) {
  const load = (module) => import(pathToFileURL(join(build, 'report/page', module)).href);
  const [{ differencesChart, valuesChart }, { formOf, keyOf, withSignals }] = await Promise.all([
    load('charts.js'),
    load('chart-form.js'),
  ]);
  const charts = [valuesChart([ROW], false), valuesChart([ROW], true), differencesChart([ROW], [true])];
  const forms = charts.map(formOf).map((form) => [keyOf(form), parse(withSignals(compile(form).spec))]);
  const text = JSON.stringify(Object.fromEntries(forms));
  return `${CODE}export const forms = JSON.parse(${JSON.stringify(text)});\n`;
}
