import type { PythonSetup } from './python.ts';
import { collectReports, MARKER } from './report-script.ts';
import { type CiSettings, indent } from './settings.ts';
import { STORE } from './store-script.ts';

/** The store is where the cache is, whatever nx.json says. */
export const GITHUB_ENVIRONMENT = `    env:
      NX_DAEMON: 'false'
      NX_EXPERIMENTS_STORE: ${STORE}`;

/** What comes before the jobs. */
export function githubHead({ branch }: CiSettings): string {
  return `name: Experiments

on:
  push:
    branches: ['${branch}']
  pull_request:

permissions:
  actions: read
  contents: read
  pull-requests: write

concurrency:
  group: experiments-\${{ github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}
`;
}

/** @param history whether commits are compared */
export function githubSetup({ install, python }: CiSettings, history: boolean): string {
  const depth = history ? '\n        with:\n          fetch-depth: 0\n          filter: tree:0' : '';
  const { action, cache, enable } = install;
  const ready =
    action !== undefined
      ? `      - uses: ${action}\n`
      : enable !== undefined
        ? `      - run: ${enable}\n`
        : '';
  return `      - uses: actions/checkout@v5${depth}
${ready}      - uses: actions/setup-node@v6
        with:
          node-version: 22${cache === undefined ? '' : `\n          cache: ${cache}`}
      - run: ${install.install}${python === undefined ? '' : githubPython(python)}`;
}

/** The Python of a runner changes with its image, and with it what results depend on. */
function githubPython({ install, bringsPython, namesVersion }: PythonSetup): string {
  const version = namesVersion ? 'python-version-file: .python-version' : "python-version: '3.13'";
  const setup = bringsPython
    ? ''
    : `\n      - uses: actions/setup-python@v6\n        with:\n          ${version}`;
  return `${setup}${install.length === 0 ? '' : `\n      - run: |\n${indent(install, 10)}`}`;
}

export function githubShas({ branch }: CiSettings): string {
  return `      # Sets NX_BASE and NX_HEAD: what has changed since the last successful run, or since the pull request began.
      - id: shas
        uses: nrwl/nx-set-shas@v5
        with:
          main-branch-name: '${branch}'`;
}

/** The newest store of this branch, else of the main branch. */
export function githubRestore({ branch }: CiSettings): string {
  return `      # Finished replicates: only what is missing runs.
      - id: store
        uses: actions/cache/restore@v5
        with:
          path: ${STORE}
          key: ${KEY}
          restore-keys: |
            nx-experiments-\${{ github.ref_name }}-
            nx-experiments-${branch}-
            nx-experiments-`;
}

const KEY = `nx-experiments-\${{ github.ref_name }}-\${{ github.run_id }}-\${{ github.run_attempt }}`;

/** Runs the experiments that are affected, keeps the store, and tells the results. */
export function githubReport({ install, target }: CiSettings): string {
  return `      - run: ${install.exec} nx affected -t ${target}
      # Also when an experiment has failed: what has finished does not run again.
      - uses: actions/cache/save@v5
        if: \${{ always() }}
        with:
          path: ${STORE}
          key: ${KEY}
      - name: Collect reports
        if: \${{ !cancelled() }}
        run: |
${indent(collectReports(install.exec, target), 10)}
          cat comment.md >> "$GITHUB_STEP_SUMMARY"
      - uses: actions/upload-artifact@v6
        if: \${{ !cancelled() }}
        with:
          name: experiment-reports
          path: |
            comment.md
            **/results/report/**
            !**/node_modules/**
      # A pull request from a fork may not comment: its reports are in the summary of the job.
      - name: Comment
        if: \${{ !cancelled() && github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository }}
        uses: actions/github-script@v8
        with:
          script: |
            const body = require('fs').readFileSync('comment.md', 'utf8');
            const issue = { ...context.repo, issue_number: context.issue.number };
            const comments = await github.paginate(github.rest.issues.listComments, { ...issue, per_page: 100 });
            const mine = comments.find((comment) => comment.body?.startsWith('${MARKER}'));
            if (mine) await github.rest.issues.updateComment({ ...context.repo, comment_id: mine.id, body });
            else await github.rest.issues.createComment({ ...issue, body });
`;
}
