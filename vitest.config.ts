import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Packages without their source maps are no news.
  logLevel: 'error',
  test: {
    include: ['tests/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Imports JSON in a way that Node does not.
    server: { deps: { inline: ['@actions/workflow-parser'] } },
    pool: 'forks',
    maxWorkers: 2,
    // Real processes on shared machines: a test that fails twice has failed.
    retry: process.env.CI ? 1 : 0,
    // .ci/run prints the counts of this file last.
    reporters: process.env.CI ? ['default', ['json', { outputFile: 'tmp/vitest.json' }]] : ['default'],
  },
});
