import { pathToFileURL } from 'node:url';
import type { TopLevelSpec } from 'vega-lite';
import { packageFile } from '../../base/package-files.ts';
import { Html } from './html.ts';

/** Vega and Vega-Lite in one file, since they are spread over hundreds. */
interface Charts {
  readonly compile: typeof import('vega-lite').compile;
  readonly vega: Pick<typeof import('vega'), 'View' | 'parse'>;
}

export type DrawChart = (spec: TopLevelSpec) => Promise<Html>;

/** Loads Vega, which takes a while. */
export async function loadCharts(): Promise<Charts> {
  return import(pathToFileURL(packageFile('dist/vendor/charts.js')).href);
}

/** Only called where there is something to draw. */
export async function chartDrawer(): Promise<DrawChart> {
  const { compile, vega } = await loadCharts();
  return async (spec) => {
    const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
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
