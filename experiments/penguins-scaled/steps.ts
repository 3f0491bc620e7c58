import { defineStep } from 'nx-experiments';
import { type FeatureTable, rowsOf, type Split } from '../../libs/penguins/table.ts';

/** Where a column lies and how wide it is, in the column's own unit. */
interface Scale {
  center: number;
  spread: number;
}

/** Subtracts the center of each column and divides by its spread; both come from the training birds. */
export const scale = defineStep(
  { robust: false },
  async ({ table, split }: { table: FeatureTable; split: Split }, { robust }, ctx) => {
    const training = rowsOf(table, split.train);
    const scales = table.columns.map((_, column) => {
      const values = training.map((row) => row.values[column] ?? Number.NaN);
      return robust ? medianAndQuartiles(values) : meanAndDeviation(values);
    });
    const rows = table.rows.map((row) => ({
      ...row,
      values: row.values.map((value, column) => apply(scales[column], value)),
    }));
    const scaling = table.columns.map((column, i) => ({ column, ...scales[i] }));
    await ctx.artifact('scaling').write({ method: robust ? 'median and quartiles' : 'mean and sd', scaling });
    await ctx.artifact('table').write({ columns: table.columns, rows } satisfies FeatureTable);
  },
);

function apply({ center, spread }: Scale = { center: 0, spread: 1 }, value: number): number {
  return Number(((value - center) / spread).toFixed(6));
}

function meanAndDeviation(values: readonly number[]): Scale {
  const center = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return { center, spread: Math.sqrt(squares / (values.length - 1)) };
}

/** The interquartile range over 1.349, which for normal values is their standard deviation. */
function medianAndQuartiles(values: readonly number[]): Scale {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return { center: at(0.5), spread: (at(0.75) - at(0.25)) / 1.349 };
}
