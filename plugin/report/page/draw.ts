import { pathToFileURL } from 'node:url';
import { packageFile } from '../../base/package-files.ts';
import { fillingOf, formOf, keyOf } from './chart-form.ts';
import type { ChartSpec } from './charts.ts';
import { Html } from './html.ts';

/** So much of Vega as draws what was compiled before, in one file. */
interface Charts {
  readonly View: typeof import('vega').View;
  /** How wide texts are taken to be, which depends on the fonts of a machine. */
  readonly textMetrics: object;
  /** Charts of ours without what differs between them, compiled, by their keys. */
  readonly forms: Readonly<Record<string, ReturnType<typeof import('vega').parse>>>;
}

export type DrawChart = (spec: ChartSpec) => Promise<Html>;

/** Loads Vega, which takes a while. */
export async function loadCharts(): Promise<Charts> {
  return import(pathToFileURL(packageFile('dist/vendor/charts.js')).href);
}

/** Only called where there is something to draw. */
export async function chartDrawer(): Promise<DrawChart> {
  const { View, forms } = await loadCharts();
  return async (spec) => {
    const form = forms[keyOf(formOf(spec))];
    if (form === undefined) throw new Error('Bug: a chart of this form was not compiled with the package');
    const { signals, data } = fillingOf(spec);
    const view = new View(form, { renderer: 'none' });
    for (const [name, value] of Object.entries(signals)) view.signal(name, value);
    for (const [name, values] of data) view.data(name, structuredClone(values) as object[]);
    const svg = await view.toSVG();
    view.finalize();
    return new Html(svg.replace(/<[^>]*>/g, slim).replace(/ width="\d+" height="\d+"/, ''));
  };
}

/** Of a tag of Vega's: roles that need names go, since the chart as a whole has one, and so do digits that nobody sees. */
function slim(tag: string): string {
  return tag
    .replace(/ (?:role|aria-roledescription|aria-hidden|pointer-events)="[^"]*"/g, '')
    .replace(/\d+\.\d{4,}/g, (number) => String(Math.round(Number(number) * 1000) / 1000));
}
