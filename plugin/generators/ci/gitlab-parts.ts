import { collectReports, MARKER } from './report-script.ts';
import { type CiSettings, indent } from './settings.ts';
import { STORE } from './store-script.ts';

export function gitlabRules({ branch }: CiSettings): string {
  return `  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == "${branch}"`;
}

/** Finished replicates: only what is missing runs. @param policy whether the job keeps what it adds */
export function gitlabCache({ branch }: CiSettings, policy: 'pull' | 'pull-push'): string {
  return `  # Finished replicates: only what is missing runs.
  cache:
    key: nx-experiments-$CI_COMMIT_REF_SLUG
    fallback_keys:
      - nx-experiments-${refSlug(branch)}
    paths:
      - ${STORE}
    policy: ${policy}
    when: always`;
}

/** What GitLab makes of the name of a branch in CI_COMMIT_REF_SLUG. */
function refSlug(branch: string): string {
  return branch
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
}

/** The image has a Python, without what makes a `.venv`. */
const GITLAB_VENV = 'apt-get update && apt-get install --yes python3-venv';

export function gitlabInstall({ install, python }: CiSettings): string {
  const packages = python?.install ?? [];
  const lines = [
    ...(install.enable === undefined ? [] : [install.enable]),
    install.install,
    ...(packages.length === 0 ? [] : [GITLAB_VENV, ...packages]),
  ];
  return lines.map((line) => `    - ${line}`).join('\n');
}

/** Commits to compare: since the merge request began, or since the last push. Before the first commit there was nothing. */
export const GITLAB_REVISIONS = `    - export NX_HEAD="$CI_COMMIT_SHA"
    - export NX_BASE="\${CI_MERGE_REQUEST_DIFF_BASE_SHA:-\${CI_COMMIT_BEFORE_SHA}}"
    - if ! git cat-file -e "$NX_BASE" 2>/dev/null; then export NX_BASE="$(git rev-parse --verify --quiet HEAD~1 || git hash-object -t tree /dev/null)"; fi`;

/** Collects the reports, comments, and keeps them. */
export function gitlabReport({ install, target }: CiSettings): string {
  const script = [
    'const { readFileSync } = require("fs");',
    'const { CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID, NX_EXPERIMENTS_TOKEN } = process.env;',
    'const notes = CI_API_V4_URL + "/projects/" + CI_PROJECT_ID + "/merge_requests/" + CI_MERGE_REQUEST_IID + "/notes";',
    'const headers = { "PRIVATE-TOKEN": NX_EXPERIMENTS_TOKEN, "Content-Type": "application/json" };',
    'const send = async (url, method, body) => {',
    '  const answer = await fetch(url, { method, headers, body });',
    '  if (!answer.ok) throw new Error(method + " " + url + ": " + answer.status);',
    '  return answer.json();',
    '};',
    '(async () => {',
    '  const body = JSON.stringify({ body: readFileSync("comment.md", "utf8") });',
    '  let mine;',
    '  for (let page = 1, size = 100; size === 100 && !mine; page++) {',
    '    const found = await send(notes + "?per_page=100&page=" + page, "GET");',
    `    mine = found.find((note) => note.body.startsWith("${MARKER}"));`,
    '    size = found.length;',
    '  }',
    '  await (mine ? send(notes + "/" + mine.id, "PUT", body) : send(notes, "POST", body));',
    '})();',
  ];
  return `    - |
${indent(collectReports(install.exec, target), 6)}
    # A token with the scope "api", as a masked variable NX_EXPERIMENTS_TOKEN, lets the job comment.
    - |
      if [ -z "$CI_MERGE_REQUEST_IID" ]; then echo 'No merge request: no comment.'; exit 0; fi
      if [ -z "$NX_EXPERIMENTS_TOKEN" ]; then echo 'NX_EXPERIMENTS_TOKEN is not set: no comment.'; exit 0; fi
      node -e '
${indent(script, 6)}
      '
  artifacts:
    when: always
    paths:
      - comment.md
      - '**/results/report/'
    exclude:
      - '**/node_modules/**'
`;
}
