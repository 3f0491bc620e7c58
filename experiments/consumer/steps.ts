import { defineStep, withMetrics } from 'nx-experiments';
import type { Summary } from '../producer/outputs.ts';

const TRUTH = 10;

/** How far the producer's estimate is from the truth, and whether that is tolerable. */
export const inspect_summary = defineStep(
  { tolerance: 1 },
  (data: { producer_summary: Summary }, { tolerance }) => {
    const error = Math.abs(data.producer_summary.estimate - TRUTH);
    return withMetrics(data, { error, accepted: error <= tolerance ? 1 : 0 });
  },
);
