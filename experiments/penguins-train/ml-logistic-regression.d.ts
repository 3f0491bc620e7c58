/** The part of the package that we use; it ships no types. */
declare module 'ml-logistic-regression' {
  import type { Matrix } from 'ml-matrix';

  export default class LogisticRegression {
    constructor(options: { numSteps: number; learningRate: number });
    static load(model: unknown): LogisticRegression;
    /** One classifier for each class. */
    readonly classifiers: readonly {
      /** Probability, for each row, that it is *not* of the class. */
      testScores(features: Matrix): number[];
    }[];
    /**
     * @param features rows x features
     * @param classes rows x 1, whole numbers from 0
     */
    train(features: Matrix, classes: Matrix): void;
    /** The class of each row. */
    predict(features: Matrix): number[];
    toJSON(): unknown;
  }
}
