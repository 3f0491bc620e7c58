import { defineExperiment, jsonOutput, type StepContext, withMetrics } from 'nx-experiments';
import type { Folder } from '../support/folder.ts';

export interface Summary {
  readonly mean: number;
}

/** Draws numbers and publishes their mean; `doubled` scales them. */
export function producerIn<const Name extends string = 'producer'>(
  folder: Folder,
  replicates = 3,
  name = 'producer' as Name,
) {
  return defineExperiment({
    name,
    folder: folder.join(name),
    replicates,
    params: { scale: 1 },
    datasource: (ctx: StepContext) => Array.from({ length: 5 }, () => ctx.random()),
    steps: [
      async function summarize(data: number[], ctx: StepContext<{ scale: number }>) {
        const mean = (ctx.params.scale * data.reduce((a, b) => a + b, 0)) / data.length;
        await ctx.artifact('summary').write({ mean });
        return withMetrics(data, { mean });
      },
    ],
    treatments: { doubled: { scale: 2 } },
    outputs: { summary: jsonOutput<Summary>('summary.json') },
  });
}
