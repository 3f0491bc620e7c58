import { defineStep, withMetrics } from 'nx-experiments';
import { accuracy, logLoss, macroF1 } from '../../libs/metrics/classification.ts';
import { classOf, SPECIES } from '../../libs/penguins/bird.ts';
import { type FeatureTable, rowsOf, type Split } from '../../libs/penguins/table.ts';
import { probabilities } from '../penguins-train/model.ts';
import type { Model } from '../penguins-train/outputs.ts';
import type { Prediction } from './outputs.ts';

interface Inputs {
  model: Model;
  table: FeatureTable;
  split: Split;
}

/** Tells the species of each test bird. `island` keeps the birds of one island. */
export const predict = defineStep(
  { floor: 0.001, island: 'all' },
  async ({ model, table, split }: Inputs, { floor, island }, ctx) => {
    if (model.columns.join() !== table.columns.join()) {
      throw new Error(`the model knows ${model.columns.join()}, the table has ${table.columns.join()}`);
    }
    const birds = rowsOf(table, split.test).filter((bird) => island === 'all' || bird.island === island);
    const chances = probabilities(model.regression, birds, floor);
    const predictions = birds.map(({ id, species, island }, i): Prediction => {
      const row = chances[i] ?? [];
      const predicted = SPECIES[row.indexOf(Math.max(...row))] ?? SPECIES[0];
      return { id, species, island, predicted, probabilities: row };
    });
    await ctx.artifact('predictions').write(predictions);
    return predictions;
  },
);

export function score(predictions: Prediction[]) {
  const truth = predictions.map(classOf);
  const predicted = predictions.map((prediction) => SPECIES.indexOf(prediction.predicted));
  return withMetrics(predictions, {
    accuracy: accuracy(truth, predicted),
    log_loss: logLoss(
      truth,
      predictions.map((prediction) => prediction.probabilities),
    ),
    macro_f1: macroF1(truth, predicted),
  });
}
