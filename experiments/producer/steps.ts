import { defineStep, withMetrics } from 'nx-experiments';
import type { Summary } from './outputs.ts';

/** Follows the mean of the measurements by gradient steps, and writes where it ended. */
export const produce_summary = defineStep(
  { learning_rate: 0.01 },
  async (measurements: number[], { learning_rate }, ctx) => {
    let estimate = 0;
    for (const measured of measurements) estimate += learning_rate * (measured - estimate);
    const summary: Summary = { learning_rate, estimate, samples: measurements.length };
    await ctx.artifact('summary').write(summary);
    return withMetrics(summary, { estimate });
  },
);
