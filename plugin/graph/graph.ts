import type { DatasourceEntry, ExperimentConfig, Reference } from '../config/config.ts';

/** One experiment among others. */
export interface ExperimentNode {
  readonly name: string;
  readonly config: ExperimentConfig;
  /** Names of the experiments that it reads under any condition, each once, in the order of the file. */
  readonly upstream: readonly string[];
  /** The count in force: its own, or its upstream's. */
  readonly replicates: number;
}

/** Experiments whose references all lead somewhere, without cycles. */
export interface Graph {
  readonly experiments: ReadonlyMap<string, ExperimentNode>;
  /** Upstream before downstream; ties in code unit order of the names. */
  readonly order: readonly string[];
}

/** The experiment of a name that the graph is known to have. */
export function experimentOf(graph: Graph, name: string): ExperimentNode {
  const node = graph.experiments.get(name);
  if (node === undefined) throw new Error(`Bug: the graph has no experiment "${name}"`);
  return node;
}

/** Every reference of an experiment, those of its treatments included. */
export function referencesOf(config: ExperimentConfig): Reference[] {
  const entries: DatasourceEntry[] = [
    ...config.datasource,
    ...config.baseline.datasource,
    ...config.treatments.flatMap((treatment) => treatment.datasource),
  ];
  return entries.flatMap(({ source }) => (source.type === 'reference' ? [source] : []));
}
