/**
 * How often the built-in tests are wrong: false positives where nothing differs, and intervals that miss a true difference,
 * both at alpha = 0.05, of paired samples drawn at random.
 *
 *     npx jiti benchmarks/coverage.ts [simulations] [test]
 *
 * 2,000 simulations of all tests take nine minutes, most of them for the bootstrap.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { mersenne } from 'pure-rand/generator/mersenne';
import { BUILT_IN_TESTS, runTest } from '../plugin/statistics/built-in.ts';

const simulations = Number(process.argv[2] ?? 2000);
const only = process.argv[3];
const settings = { alpha: 0.05, alternative: 'two-sided' } as const;
const DIFFERENCE = 0.5;

const generator = mersenne(1);
const uniform = (): number => uniformFloat64(generator);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

/** What replicates have in common, and noise of their own; the second has a long tail on one side, and mean 0. */
const NOISE = {
  normal,
  skewed: () => -Math.log(1 - uniform()) - 1,
};

function pairs(n: number, noise: () => number, shift: number) {
  const shared = Array.from({ length: n }, () => 3 * normal());
  return { baseline: shared.map((x) => x + noise()), treatment: shared.map((x) => x + noise() + shift) };
}

console.log('| test | n | noise | false positives | coverage |\n| --- | --- | --- | --- | --- |');
for (const test of BUILT_IN_TESTS.filter((name) => name !== 'equivalence' && name === (only ?? name))) {
  for (const n of [6, 12, 40]) {
    // All 2^n signs, or 100,000 of them, for each of thousands of samples: one size says enough.
    if (test === 'sign_flip_permutation' && n !== 12) continue;
    for (const [name, noise] of Object.entries(NOISE)) {
      let wrong = 0;
      let covered = 0;
      for (let i = 0; i < simulations; i++) {
        if (runTest(test, pairs(n, noise, 0), settings, Number.NaN).p < settings.alpha) wrong++;
        const { low, high } = runTest(test, pairs(n, noise, DIFFERENCE), settings, Number.NaN).interval;
        if (low <= DIFFERENCE && DIFFERENCE <= high) covered++;
      }
      const percent = (count: number): string => `${((100 * count) / simulations).toFixed(1)} %`;
      console.log(`| \`${test}\` | ${n} | ${name} | ${percent(wrong)} | ${percent(covered)} |`);
    }
  }
}
