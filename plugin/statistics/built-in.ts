import { leastP, type TestOutcome, type TestSettings } from './outcome.ts';
import { mannWhitneyU, wilcoxonSignedRank } from './rank-tests.ts';
import { bootstrapCi, signFlipPermutation } from './resampling.ts';
import { equivalenceTest, pairedTTest, welchTTest } from './t-tests.ts';

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

/** With fewer pairs, a test finds nothing at this level, whatever they are; 2 for the tests that take a shape for granted. */
export function leastPairs(test: BuiltInTest, { alpha, alternative }: TestSettings): number {
  let pairs = 2;
  if (BY_SIGNS.includes(test)) while (leastP(pairs, alternative) >= alpha) pairs++;
  return pairs;
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
