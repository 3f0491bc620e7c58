import { pathToFileURL } from 'node:url';
import type { TopLevelSpec } from 'vega-lite';
import { packageFile } from '../../base/package-files.ts';
import type { ChartSpec } from './charts.ts';
import { Html } from './html.ts';

/** Vega and Vega-Lite in one file, since they are spread over hundreds. */
interface Charts {
  readonly compile: typeof import('vega-lite').compile;
  readonly vega: Pick<typeof import('vega'), 'View' | 'parse'> & {
    /** How wide texts are taken to be, which depends on the fonts of a machine. */
    readonly textMetrics: object;
  };
}

export type DrawChart = (spec: ChartSpec) => Promise<Html>;

/** Loads Vega, which takes a while. */
export async function loadCharts(): Promise<Charts> {
  return import(pathToFileURL(packageFile('dist/vendor/charts.js')).href);
}

/** Only called where there is something to draw. */
export async function chartDrawer(): Promise<DrawChart> {
  const charts = await loadCharts();
  return async (spec) => {
    const { vega } = charts;
    const { numbers, data } = fillingOf(spec);
    const view = new vega.View(formOf(spec, charts), { renderer: 'none' });
    for (const [name, value] of Object.entries(numbers)) view.signal(name, value);
    for (const [name, values] of data) view.data(name, structuredClone(values) as object[]);
    const svg = await view.toSVG();
    view.finalize();
    return new Html(svg.replace(/<[^>]*>/g, slim).replace(/ width="\d+" height="\d+"/, ''));
  };
}

/** Beyond it, those that were used first are compiled again. */
const MAX_FORMS = 32;

type Form = ReturnType<Charts['vega']['parse']>;
const forms = new Map<string, Form>();

/**
 * A chart without its numbers, compiled: most experiments have charts of the same forms, and compiling one takes longer than
 * drawing it.
 */
function formOf(spec: ChartSpec, { compile, vega }: Charts): Form {
  const empty = withoutFilling(spec);
  const key = JSON.stringify(empty);
  const known = forms.get(key);
  if (known !== undefined) return known;
  const compiled = compile(empty as unknown as TopLevelSpec).spec;
  for (const scale of compiled.scales ?? []) {
    if (scale.name === 'x') Object.assign(scale, { domain: [{ signal: 'low' }, { signal: 'high' }] });
  }
  for (const axis of compiled.axes ?? []) {
    if (axis.scale !== 'x') continue;
    Object.assign(axis, { values: { signal: 'ticks' } });
    if (axis.format !== undefined) Object.assign(axis, { format: { signal: 'format' } });
  }
  const signals = ['low', 'high', 'ticks', 'format'].map((name) => ({ name, value: null }));
  const form = vega.parse({ ...compiled, signals: [...(compiled.signals ?? []), ...signals] });
  const [oldest] = forms.keys();
  if (forms.size >= MAX_FORMS && oldest !== undefined) forms.delete(oldest);
  forms.set(key, form);
  return form;
}

/** What differs between charts of one form. */
function fillingOf({ layer }: ChartSpec) {
  const { scale, axis } = layer[0]?.encoding.x ?? {};
  const [low, high] = scale?.domain ?? [];
  return {
    numbers: { low, high, ticks: axis?.values ?? [], format: axis?.format ?? '' },
    data: layer.map(({ data }, i) => [`layer_${i}`, data.values] as const),
  };
}

function withoutFilling(spec: ChartSpec): object {
  return {
    ...spec,
    layer: spec.layer.map(({ data: _, encoding, ...layer }, i) => ({
      ...layer,
      data: { name: `layer_${i}`, values: [] },
      encoding: Object.fromEntries(
        Object.entries(encoding).map(([channel, of]) => [
          channel,
          channel === 'x' && of.scale !== undefined
            ? {
                ...of,
                scale: { ...of.scale, domain: [0, 1] },
                axis: { ...of.axis, values: [], format: '.3f' },
              }
            : of,
        ]),
      ),
    })),
  };
}

/** Of a tag of Vega's: roles that need names go, since the chart as a whole has one, and so do digits that nobody sees. */
function slim(tag: string): string {
  return tag
    .replace(/ (?:role|aria-roledescription|aria-hidden|pointer-events)="[^"]*"/g, '')
    .replace(/\d+\.\d{4,}/g, (number) => String(Math.round(Number(number) * 1000) / 1000));
}
