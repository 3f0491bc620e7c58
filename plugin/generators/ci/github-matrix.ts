import {
  GITHUB_ENVIRONMENT,
  githubHead,
  githubReport,
  githubRestore,
  githubSetup,
  githubShas,
} from './github-parts.ts';
import { type CiSettings, indent, type SpreadSettings } from './settings.ts';
import { beginStore, MOVED, packStore, runLines, STORE, unpackStore } from './store-script.ts';

export const GITHUB_LEVEL = '.github/workflows/experiments-level.yml';

/** The stores that jobs of earlier levels have uploaded. */
const DOWNLOAD = `      - uses: actions/download-artifact@v7
        with:
          pattern: experiments-store-*
          path: ${MOVED}
          merge-multiple: true`;

/**
 * Text of a GitHub Actions workflow: a job that plans, levels that run one after the other, each a matrix, and a job that
 * finds everything done, compares and tells. A level that fails does not stop the next: what does not need it goes on.
 */
export function renderGithubMatrix(settings: SpreadSettings): string {
  const { jobs, levels, install } = settings;
  const names = Array.from({ length: levels }, (_, i) => `level-${i + 1}`);
  return `${githubHead(settings)}
jobs:
  plan:
    runs-on: ubuntu-latest
${GITHUB_ENVIRONMENT}
    outputs:
      levels: \${{ steps.matrix.outputs.levels }}
      store: \${{ steps.store.outputs.cache-matched-key }}
      base: \${{ steps.shas.outputs.base }}
      head: \${{ steps.shas.outputs.head }}
    steps:
${githubSetup(settings, true)}
${githubShas(settings)}
${githubRestore(settings)}
      # The last level takes all that lies deeper. What the store has is left out: every job begins with the same store.
      - id: matrix
        run: |
          levels="$(${install.exec} nx-experiments matrix --affected --jobs ${jobs} --levels ${levels} --reuse)"
          echo "levels=$levels" >> "$GITHUB_OUTPUT"
${names.map((name, i) => levelJob(name, ['plan', ...names.slice(0, i)], i)).join('')}
  experiments:
    needs: [${['plan', ...names].join(', ')}]
    if: \${{ !cancelled() && needs.plan.result == 'success' }}
    runs-on: ubuntu-latest
${GITHUB_ENVIRONMENT}
      NX_BASE: \${{ needs.plan.outputs.base }}
      NX_HEAD: \${{ needs.plan.outputs.head }}
    steps:
${githubSetup(settings, true)}
${githubRestore(settings)}
${DOWNLOAD}
      - name: Add what the levels have finished
        run: |
${indent(unpackStore(), 10)}
${githubReport(settings)}`;
}

function levelJob(name: string, needs: readonly string[], index: number): string {
  const level = `fromJSON(needs.plan.outputs.levels)[${index}]`;
  return `
  ${name}:
    needs: [${needs.join(', ')}]
    if: \${{ !cancelled() && needs.plan.result == 'success' && ${level} != null }}
    uses: ./${GITHUB_LEVEL}
    with:
      matrix: \${{ toJSON(${level}) }}
      store: \${{ needs.plan.outputs.store }}
    secrets: inherit
`;
}

/** Text of the workflow that each level calls. */
export function renderGithubLevel(settings: CiSettings): string {
  return `name: A level of experiments

on:
  workflow_call:
    inputs:
      matrix:
        type: string
        required: true
      store:
        description: Key of the cache that the plan was made with.
        type: string

jobs:
  run:
    name: \${{ matrix.name }}
    strategy:
      fail-fast: false
      matrix: \${{ fromJSON(inputs.matrix) }}
    runs-on: ubuntu-latest
${GITHUB_ENVIRONMENT}
    steps:
${githubSetup(settings, false)}
      - uses: actions/cache/restore@v5
        if: \${{ inputs.store != '' }}
        with:
          path: ${STORE}
          key: \${{ inputs.store }}
${DOWNLOAD}
      - name: Add what earlier levels have finished
        run: |
${indent([...unpackStore(), ...beginStore()], 10)}
      - name: Run
        env:
          NX_EXPERIMENTS_RUN: \${{ matrix.run }}
        run: |
${indent(runLines(settings.install.exec), 10)}
      # Also when something has failed, or took too long: what has finished does not run again.
      - name: Pack what has finished
        if: \${{ always() }}
        run: |
${indent(packStore(`\${{ matrix.level }}-\${{ matrix.job }}`), 10)}
      - uses: actions/upload-artifact@v6
        if: \${{ always() }}
        with:
          name: experiments-store-\${{ matrix.level }}-\${{ matrix.job }}
          path: ${MOVED}
          include-hidden-files: true
          if-no-files-found: ignore
          overwrite: true
          retention-days: 1
`;
}
