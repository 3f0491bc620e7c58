import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { withLateOptimization } from '../../plugin/build/io/late-optimization.js';

const MODULE = fileURLToPath(new URL('../../plugin/build/io/late-optimization.js', import.meta.url));

/** Whether V8 has optimised a function with a loop that ran two hundred times. */
function isOptimised(wrapper: string, flags: readonly string[] = []): boolean {
  const script = `
import { withLateOptimization } from ${JSON.stringify(MODULE)};
const plainly = (run) => run();
const hot = (x) => { let sum = 0; for (let i = 0; i < 100; i++) sum = (sum * 31 + x + i) | 0; return sum; };
await ${wrapper}(async () => {
  for (let i = 0; i < 200; i++) {
    hot(i);
    if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  console.log((%GetOptimizationStatus(hot) & 16) !== 0);
});`;
  const args = ['--allow-natives-syntax', ...flags, '--input-type=module', '-e', script];
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim() === 'true';
}

test('gives what the run gives, also of runs within each other and of one that fails', async () => {
  const inner = () => withLateOptimization(async () => 2);
  expect(await withLateOptimization(async () => 1 + (await inner()))).toBe(3);
  await expect(withLateOptimization(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

const onNode20 = process.version.startsWith('v20.');
if (!onNode20) console.log(`Not tested: only Node 20 optimises early, and this is ${process.version}.`);

test.runIf(onNode20)('on Node 20, functions are optimised later, unless somebody has said when', () => {
  expect(isOptimised('plainly')).toBe(true);
  expect(isOptimised('withLateOptimization')).toBe(false);
  expect(isOptimised('withLateOptimization', ['--interrupt-budget=20000'])).toBe(true);
});
