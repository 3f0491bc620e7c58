import type { Spec } from 'vega';
import { sha256 } from '../../base/digest.ts';
import type { ChartChannel, ChartSpec } from './charts.ts';

/**
 * What charts of one kind have in common, as a specification of its own: without their data, and with the same range and
 * the same number of rows. Forms are compiled when the package is built, since that takes longer than drawing.
 */
export function formOf(spec: ChartSpec): ChartSpec {
  return {
    ...spec,
    height: 1,
    layer: spec.layer.map(({ encoding, ...layer }, i) => ({
      ...layer,
      data: { name: `layer_${i}`, values: [] },
      encoding: Object.fromEntries(
        Object.entries(encoding).map(([channel, of]) => [channel, emptied(channel, of)]),
      ),
    })),
  };
}

/** Names a form. */
export function keyOf(form: ChartSpec): string {
  return sha256(JSON.stringify(form));
}

function emptied(channel: string, of: ChartChannel): ChartChannel {
  if (of.scale === undefined) return of;
  const empty = { ...of, scale: { ...of.scale, domain: [0, 1] as const } };
  return channel === 'x' ? { ...empty, axis: { ...of.axis, values: [], format: '.3f' } } : empty;
}

/** What differs between charts of one form: signals and data sets of its compiled specification. */
export function fillingOf({ height, layer }: ChartSpec) {
  const scaled = (channel: 'x' | 'y'): ChartChannel | undefined =>
    layer.map(({ encoding }) => encoding[channel]).find((of) => of?.scale !== undefined);
  const x = scaled('x');
  const [low, high] = x?.scale?.domain ?? [];
  return {
    signals: {
      height,
      rows: scaled('y')?.scale?.domain[1],
      low,
      high,
      ticks: x?.axis?.values ?? [],
      format: x?.axis?.format ?? '',
    },
    data: layer.map(({ data }, i) => [`layer_${i}`, data.values] as const),
  };
}

/** Puts signals in the place of what differs. @param compiled what Vega-Lite makes of a form */
export function withSignals(compiled: Spec): Spec {
  const domain = (...signals: string[]): object[] => signals.map((signal) => ({ signal }));
  const scales = (compiled.scales ?? []).map((scale) => ({
    ...scale,
    domain: scale.name === 'x' ? domain('low', 'high') : [0, ...domain('rows')],
  }));
  const axes = (compiled.axes ?? []).map((axis) => ({
    ...axis,
    values: { signal: 'ticks' },
    ...(axis.format === undefined ? {} : { format: { signal: 'format' } }),
  }));
  const signals = ['low', 'high', 'rows', 'ticks', 'format'].map((name) => ({ name, value: null }));
  return { ...compiled, scales, axes, signals: [...(compiled.signals ?? []), ...signals] } as Spec;
}
