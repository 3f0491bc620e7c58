import type { TopLevelSpec } from 'vega-lite';
import { Html } from './html.ts';

export type DrawChart = (spec: TopLevelSpec) => Promise<Html>;

/** Loads Vega, which takes a while: only called where there is something to draw. */
export async function chartDrawer(): Promise<DrawChart> {
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), import('vega')]);
  return async (spec) => {
    const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
    const svg = await view.toSVG();
    view.finalize();
    return new Html(svg.replace(/ width="\d+" height="\d+"/, ''));
  };
}
