import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineExperiment, jsonOutput, type StepContext, withMetrics } from 'nx-experiments';

export interface Summary {
  readonly mean: number;
}

/** An empty folder that goes when the test ends. */
export class Folder implements Disposable {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'api-')));

  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
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
