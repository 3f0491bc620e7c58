import type LogisticRegression from 'ml-logistic-regression';
import { Matrix } from 'ml-matrix';
import type { FeatureRow } from '../../libs/penguins/table.ts';

/** Birds x (1 + columns): the first column is the constant 1 that carries the intercept. */
export function designMatrix(rows: readonly FeatureRow[]): Matrix {
  return new Matrix(rows.map(({ values }) => [1, ...values]));
}

/**
 * Birds x species, each row summing to 1.
 *
 * @param floor the least probability before normalising: a model that is certain and wrong stays finite
 */
export function probabilities(
  regression: LogisticRegression,
  rows: readonly FeatureRow[],
  floor: number,
): number[][] {
  const features = designMatrix(rows);
  const against = regression.classifiers.map((classifier) => classifier.testScores(features));
  return rows.map((_, bird) => {
    const scores = against.map((scores) => Math.max(floor, 1 - (scores[bird] ?? Number.NaN)));
    const total = scores.reduce((sum, score) => sum + score, 0);
    return scores.map((score) => score / total);
  });
}
