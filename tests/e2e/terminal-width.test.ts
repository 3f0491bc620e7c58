import { expect, test } from 'vitest';
import { workspace } from '../support/workspace.ts';

/** A name and numbers that fill 100 columns. */
const LAB = {
  'experiments/lab/config.yaml': `
replicates: 8
datasource: { numbers: draw }
steps: [measure]
params: { scale: 1 }
treatments: { a_treatment_with_long_name: { scale: 2 } }
`,
  'experiments/lab/datasources.mjs': 'export const draw = (ctx) => [ctx.random(), ctx.random()];\n',
  'experiments/lab/steps.mjs': `
import { defineStep, withMetrics } from 'nx-experiments';
export const measure = defineStep({ scale: 1 }, ([a, b], { scale }) =>
  withMetrics(undefined, { mean_absolute_error: 1000 * (a * scale + b / scale) }));
`,
};

test('a table that Nx shows fits the terminal, from 80 columns on', async () => {
  await using ws = await workspace(LAB);
  for (const [columns, most] of [
    [60, 80],
    [120, 100],
  ] as const) {
    const nx = 'npx nx run lab:experiment --skip-nx-cache';
    const { code, output } = await ws.shell(`script -qec "stty cols ${columns}; ${nx}" /dev/null`);
    expect(code, output).toBe(0);
    const lines = output.split(/\r?\n/);
    const start = lines.findIndex((line) => line.startsWith('  metric '));
    // Below the table, Nx writes over its own lines.
    const table = lines.slice(start).filter((line) => line.startsWith('  ') && line.trim() !== '');
    expect(table, output).not.toHaveLength(0);
    const longest = Math.max(...table.map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(most);
    if (columns > 100) expect(longest).toBeGreaterThan(80);
  }
}, 60_000);
