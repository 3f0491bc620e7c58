/** Share of predictions that are right. Both lists hold one class for each case. */
export function accuracy(truth: readonly number[], predicted: readonly number[]): number {
  return truth.filter((actual, i) => actual === predicted[i]).length / truth.length;
}

/** Mean of the F1 scores of the classes that occur in the truth, each counted once, however rare it is. */
export function macroF1(truth: readonly number[], predicted: readonly number[]): number {
  const scores = [...new Set(truth)].sort().map((label) => {
    const actual = truth.filter((t) => t === label).length;
    const claimed = predicted.filter((p) => p === label).length;
    const right = truth.filter((t, i) => t === label && predicted[i] === label).length;
    return (2 * right) / (actual + claimed);
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/**
 * Mean surprise at the truth, in nats; 0 is perfect, ln(classes) is a guess.
 *
 * @param probabilities cases x classes; each row sums to 1, none is 0
 */
export function logLoss(truth: readonly number[], probabilities: readonly (readonly number[])[]): number {
  const surprises = truth.map((label, i) => -Math.log(probabilities[i]?.[label] ?? 0));
  return surprises.reduce((sum, surprise) => sum + surprise, 0) / truth.length;
}
