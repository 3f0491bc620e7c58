import { defineStep, required, withMetrics } from 'nx-experiments';
import type { Bird, Measure } from '../../libs/penguins/bird.ts';
import type { FeatureTable } from '../../libs/penguins/table.ts';

/** Lays the chosen measures of each bird side by side: birds x columns, in mm and g. */
export const choose_columns = defineStep(
  { columns: required<Measure[]>() },
  async ({ birds }: { birds: Bird[] }, { columns }, ctx) => {
    const rows = birds.map((bird) => ({
      id: bird.id,
      species: bird.species,
      island: bird.island,
      values: columns.map((column) => bird[column]),
    }));
    const table: FeatureTable = { columns, rows };
    await ctx.artifact('table').write(table);
    return withMetrics(table, { columns: columns.length });
  },
);
