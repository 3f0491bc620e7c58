import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** A test runner may load packages in another way than Node does; what users get is loaded by Node. */
test('the built package computes in a Node of its own', () => {
  const code = `
    import { runTest } from './plugin/build/statistics/built-in.js';
    const samples = { baseline: [1, 2, 3, 4, 5, 6], treatment: [2, 3.5, 3, 6, 8, 7] };
    const settings = { alpha: 0.05, alternative: 'two-sided' };
    for (const test of ['paired_t_test', 'welch_t_test', 'wilcoxon_signed_rank', 'bootstrap_ci', 'equivalence']) {
      const { p, interval } = runTest(test, samples, settings, 5);
      console.log(test, p.toFixed(4), interval.low.toFixed(4), interval.high.toFixed(4));
    }
  `;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  expect(printed).toMatchInlineSnapshot(`
    "paired_t_test 0.0193 0.3456 2.4877
    welch_t_test 0.2843 -1.3874 4.2207
    wilcoxon_signed_rank 0.0625 0.0000 3.0000
    bootstrap_ci 0.0313 0.7500 2.2500
    equivalence 0.0002 0.5771 2.2563
    "
  `);
});
