import { defineStep, withMetrics } from 'nx-experiments';
import { type Bird, SPECIES } from '../../libs/penguins/bird.ts';
import type { Split } from '../../libs/penguins/table.ts';

/**
 * Shuffles each species and tests on the first `test_share` of it. The model learns from the first `train_share` of
 * the rest: less of it changes who is learnt from, never who is tested on.
 */
export const split_by_species = defineStep(
  { test_share: 0.3, train_share: 1 },
  async ({ birds }: { birds: Bird[] }, { test_share, train_share }, ctx) => {
    const split: Split = { train: [], test: [] };
    for (const species of SPECIES) {
      const shuffled = birds
        .filter((bird) => bird.species === species)
        .map(({ id }) => ({ id, draw: ctx.random() }))
        .sort((a, b) => a.draw - b.draw)
        .map(({ id }) => id);
      const tested = Math.round(shuffled.length * test_share);
      const learnt = Math.ceil((shuffled.length - tested) * train_share);
      split.test.push(...shuffled.slice(0, tested));
      split.train.push(...shuffled.slice(tested, tested + learnt));
    }
    split.train.sort((a, b) => a - b);
    split.test.sort((a, b) => a - b);
    await ctx.artifact('split').write(split);
    return withMetrics(split, { train_birds: split.train.length, test_birds: split.test.length });
  },
);
