import LogisticRegression from 'ml-logistic-regression';
import { Matrix } from 'ml-matrix';
import { defineStep, required, withMetrics } from 'nx-experiments';
import { accuracy } from '../../libs/metrics/classification.ts';
import { classOf } from '../../libs/penguins/bird.ts';
import { type FeatureTable, rowsOf, type Split } from '../../libs/penguins/table.ts';
import { designMatrix } from './model.ts';

/** Fits one classifier for each species against the rest, by plain gradient ascent from zero weights. */
export const train = defineStep(
  { learning_rate: required<number>(), steps: required<number>() },
  async ({ table, split }: { table: FeatureTable; split: Split }, { learning_rate, steps }, ctx) => {
    const rows = rowsOf(table, split.train);
    const features = designMatrix(rows);
    const truth = rows.map(classOf);
    const regression = new LogisticRegression({ numSteps: steps, learningRate: learning_rate });
    regression.train(features, Matrix.columnVector(truth));
    await ctx.artifact('model').write({ columns: table.columns, regression });
    return withMetrics(undefined, { train_accuracy: accuracy(truth, regression.predict(features)) });
  },
);
