import { describe } from './describe.ts';
import { leastP, leastRankP, type TestOutcome, type TestSettings } from './outcome.ts';
import { mannWhitneyU, wilcoxonSignedRank } from './rank-tests.ts';
import { bootstrapCi, signFlipPermutation } from './resampling.ts';
import {
  equivalenceTest,
  type Precision,
  pairedTTest,
  precisionOfDifference,
  precisionOfMean,
  welchTTest,
} from './t-tests.ts';

/** The verifiers that need no module, by the names that config.yaml uses. */
export const BUILT_IN_TESTS = [
  'paired_t_test',
  'welch_t_test',
  'wilcoxon_signed_rank',
  'mann_whitney_u',
  'sign_flip_permutation',
  'bootstrap_ci',
  'equivalence',
] as const;
export type BuiltInTest = (typeof BUILT_IN_TESTS)[number];

export function isBuiltInTest(name: string): name is BuiltInTest {
  return (BUILT_IN_TESTS as readonly string[]).includes(name);
}

/** Tests that take differences to have no shape but that nothing favours one side of zero. */
const BY_SIGNS: readonly BuiltInTest[] = ['wilcoxon_signed_rank', 'sign_flip_permutation', 'bootstrap_ci'];

const UNPAIRED: readonly BuiltInTest[] = ['welch_t_test', 'mann_whitney_u'];

/** Tests that do not ask which value of one sample belongs to which of the other. */
export function isUnpaired(test: BuiltInTest): boolean {
  return UNPAIRED.includes(test);
}

/**
 * With fewer replicates of both conditions, a test finds nothing at this level, whatever they are, `mann_whitney_u` if none tie; 2 for
 * the tests that take a shape for granted.
 */
export function leastReplicates(test: BuiltInTest, { alpha, alternative }: TestSettings): number {
  const least = (n: number): number => {
    if (test === 'mann_whitney_u') return leastRankP(n, n, alternative);
    return BY_SIGNS.includes(test) ? leastP(n, alternative) : 0;
  };
  let replicates = 2;
  while (least(replicates) >= alpha) replicates++;
  return replicates;
}

/** One value of each replicate, in the order of the replicates; NaN where there is none. */
export interface PairedSamples {
  readonly baseline: readonly number[];
  readonly treatment: readonly number[];
}

/** @param margin of `equivalence` */
export function runTest(
  test: BuiltInTest,
  samples: PairedSamples,
  settings: TestSettings,
  margin: number,
): TestOutcome & { readonly dropped: number } {
  const differences = pairedDifferences(samples);
  const pairs = Math.max(samples.baseline.length, samples.treatment.length);
  const paired = (outcome: TestOutcome) => ({ ...outcome, dropped: pairs - differences.length });
  const [baseline, treatment] = [present(samples.baseline), present(samples.treatment)];
  const unpaired = (outcome: TestOutcome) => ({
    ...outcome,
    dropped: samples.baseline.length - baseline.length + samples.treatment.length - treatment.length,
  });
  switch (test) {
    case 'paired_t_test':
      return paired(pairedTTest(differences, settings));
    case 'welch_t_test':
      return unpaired(welchTTest(baseline, treatment, settings));
    case 'wilcoxon_signed_rank':
      return paired(wilcoxonSignedRank(differences, settings));
    case 'mann_whitney_u':
      return unpaired(mannWhitneyU(baseline, treatment, settings));
    case 'sign_flip_permutation':
      return paired(signFlipPermutation(differences, settings));
    case 'bootstrap_ci':
      return paired(bootstrapCi(differences, settings));
    case 'equivalence':
      return paired(equivalenceTest(differences, margin, settings));
  }
}

/**
 * How precisely the t test that is nearest to a test knows the difference of these samples; given a number of replicates, how it would
 * with so many values of both, spread as these are.
 */
export function precisionFor(test: BuiltInTest, samples: PairedSamples): (replicates?: number) => Precision {
  if (isUnpaired(test)) {
    const [a, b] = [describe(samples.baseline), describe(samples.treatment)];
    return (n) => precisionOfDifference({ sd: a.sd, n: n ?? a.n }, { sd: b.sd, n: n ?? b.n });
  }
  const { sd, n: pairs } = describe(pairedDifferences(samples));
  return (n = pairs) => precisionOfMean({ sd, n });
}

/** Treatment minus baseline, of the replicates that have both. */
export function pairedDifferences({ baseline, treatment }: PairedSamples): number[] {
  return treatment.flatMap((value, i) => {
    const difference = value - (baseline[i] ?? Number.NaN);
    return Number.isNaN(difference) ? [] : [difference];
  });
}

function present(values: readonly number[]): number[] {
  return values.filter((value) => !Number.isNaN(value));
}
