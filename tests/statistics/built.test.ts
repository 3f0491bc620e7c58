import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** A test runner may load packages in another way than Node does; what users get is loaded by Node. */
test('the built package computes in a Node of its own', () => {
  const code = `
    import { runTest } from './plugin/build/statistics/built-in.js';
    const samples = { baseline: [1, 2, 3, 4, 5], treatment: [2, 3.5, 3, 6, 8] };
    const settings = { alpha: 0.05, alternative: 'two-sided' };
    for (const test of ['paired_t_test', 'welch_t_test', 'wilcoxon_signed_rank', 'bootstrap_ci', 'equivalence']) {
      const { p, interval } = runTest(test, samples, settings, 5);
      console.log(test, p.toFixed(4), interval.low.toFixed(4), interval.high.toFixed(4));
    }
  `;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  expect(printed).toMatchInlineSnapshot(`
    "paired_t_test 0.0399 0.1118 2.8882
    welch_t_test 0.2886 -1.5978 4.5978
    wilcoxon_signed_rank 0.1250 -Infinity Infinity
    bootstrap_ci 0.0004 0.6000 2.4000
    equivalence 0.0011 0.4341 2.5659
    "
  `);
});
