/** What a task has to do. */
export interface Work {
  readonly experiment: string;
  readonly replicates: number;
  /** How many replicates run at a time. */
  readonly lanes: number;
  /** From replicates that have finished; undefined when none has. */
  readonly msPerReplicate: number | undefined;
}

export interface Estimate {
  readonly estimatedMs: number;
  readonly isMeasured: boolean;
}

/** Where nothing has ever finished, only proportions count. */
const DEFAULT_MS = 1000;

/** By what is known of each; else by conditions of the same experiment, else of all, else by the number of replicates. */
export function estimateAll(works: readonly Work[]): Estimate[] {
  const byExperiment = new Map<string, number[]>();
  for (const { experiment, msPerReplicate } of works) {
    if (msPerReplicate === undefined) continue;
    byExperiment.set(experiment, [...(byExperiment.get(experiment) ?? []), msPerReplicate]);
  }
  const medians = new Map([...byExperiment].map(([experiment, times]) => [experiment, median(times)]));
  const overall = median([...byExperiment.values()].flat());
  return works.map(({ experiment, replicates, lanes, msPerReplicate }) => {
    const known = msPerReplicate ?? medians.get(experiment);
    return {
      estimatedMs: (known ?? overall ?? DEFAULT_MS) * Math.ceil(replicates / lanes),
      isMeasured: known !== undefined,
    };
  });
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
