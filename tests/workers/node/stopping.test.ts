import { expect, test } from 'vitest';
import { Lab } from '../../support/engine.ts';

const STEPS = `
import { getEventListeners } from 'node:events';
export const listens = async (data, ctx) => {
  ctx.metrics.add('listeners', getEventListeners(ctx.signal, 'abort').length);
  ctx.signal.addEventListener('abort', () => {});
  await new Promise((resolve) => setTimeout(resolve, 5));
};
export const listens_again = (data, ctx) => ctx.metrics.add('own', getEventListeners(ctx.signal, 'abort').length);
`;

test.each([1, 4])('listeners stay with their replicate, %i interleaved', async (concurrency) => {
  using at = new Lab({
    'lab/config.yaml': {
      datasource: { data: 'source' },
      steps: ['listens', 'listens_again'],
      replicates: 12,
      execution: { workers: 1, concurrency },
    },
    'lab/datasources.mjs': 'export const source = (ctx) => ctx.replicate;\n',
    'lab/steps.mjs': STEPS,
  });
  expect((await at.run()).failures('lab/baseline')).toEqual([]);
  expect(at.metric('lab/baseline', 'listeners')).toEqual(Array(12).fill(0));
  expect(at.metric('lab/baseline', 'own')).toEqual(Array(12).fill(1));
});
