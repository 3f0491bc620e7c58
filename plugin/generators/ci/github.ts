import type { Installation } from './installation.ts';
import { collectReports, MARKER } from './report-script.ts';

/** Text of a GitHub Actions workflow. */
export function renderGithub(settings: {
  readonly branch: string;
  readonly target: string;
  readonly install: Installation;
}): string {
  const { branch, target, install } = settings;
  const indent = (lines: readonly string[], by: number): string =>
    lines.map((line) => `${' '.repeat(by)}${line}`).join('\n');
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

jobs:
  experiments:
    runs-on: ubuntu-latest
    env:
      NX_DAEMON: 'false'
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
          filter: tree:0
${install.enable === undefined ? '' : `      - run: ${install.enable}\n`}      - uses: actions/setup-node@v4
        with:
          node-version: 22
          cache: ${install.name}
      - run: ${install.install}
      # Sets NX_BASE and NX_HEAD: what has changed since the last successful run, or since the pull request began.
      - uses: nrwl/nx-set-shas@v4
        with:
          main-branch-name: '${branch}'
      # Finished replicates: only what is missing runs.
      - uses: actions/cache@v4
        with:
          path: .nx/experiments
          key: nx-experiments-\${{ github.ref_name }}-\${{ github.run_id }}-\${{ github.run_attempt }}
          restore-keys: |
            nx-experiments-\${{ github.ref_name }}-
            nx-experiments-${branch}-
            nx-experiments-
      - run: ${install.exec} nx affected -t ${target}
      - name: Collect reports
        if: \${{ !cancelled() }}
        run: |
${indent(collectReports(install.exec, target), 10)}
          cat comment.md >> "$GITHUB_STEP_SUMMARY"
      - uses: actions/upload-artifact@v4
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
        uses: actions/github-script@v7
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
