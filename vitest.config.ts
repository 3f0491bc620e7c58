import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    // .ci/run prints the counts of this file last.
    reporters: process.env.CI ? ['default', ['json', { outputFile: 'tmp/vitest.json' }]] : ['default'],
  },
});
