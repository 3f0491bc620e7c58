import type { ConditionManifest } from '../../plugin/runtime/manifest.ts';

/** A manifest in which replicate i recorded `values[i]` under each metric; undefined: the replicate failed. */
export function manifestOf(
  condition: string,
  metrics: Readonly<Record<string, readonly (number | undefined)[]>>,
): ConditionManifest {
  const count = Math.max(0, ...Object.values(metrics).map((values) => values.length));
  const all = Array.from({ length: count }, (_, replicate) => ({
    replicate,
    seed: replicate * 31337,
    metrics: Object.fromEntries(
      Object.entries(metrics).flatMap(([name, values]) => {
        const value = values[replicate];
        return value === undefined ? [] : [[name, [value]]];
      }),
    ),
    artifacts: {},
  }));
  const finished = all.filter((record) => Object.keys(record.metrics).length > 0);
  return {
    experiment: 'lab',
    condition,
    replicates: finished,
    failed: all
      .filter((record) => !finished.includes(record))
      .map(({ replicate, seed }) => ({ replicate, seed, reason: 'step run threw Error: no' })),
  };
}
