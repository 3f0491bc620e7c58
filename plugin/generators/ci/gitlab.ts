import type { Installation } from './installation.ts';
import { collectReports, MARKER } from './report-script.ts';

/** Text of GitLab jobs. */
export function renderGitlab(settings: {
  readonly branch: string;
  readonly target: string;
  readonly install: Installation;
}): string {
  const { branch, target, install } = settings;
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
  const indent = (lines: readonly string[], by: number): string =>
    lines.map((line) => `${' '.repeat(by)}${line}`).join('\n');
  return `experiments:
  image: node:22
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == "${branch}"
  variables:
    GIT_DEPTH: 0
    NX_DAEMON: 'false'
  # Finished replicates: only what is missing runs.
  cache:
    key: nx-experiments-$CI_COMMIT_REF_SLUG
    fallback_keys:
      - nx-experiments-${branch.replaceAll('/', '-')}
    paths:
      - .nx/experiments
    when: always
  before_script:
${install.enable === undefined ? '' : `    - ${install.enable}\n`}    - ${install.install}
    - export NX_HEAD="$CI_COMMIT_SHA"
    - export NX_BASE="\${CI_MERGE_REQUEST_DIFF_BASE_SHA:-\${CI_COMMIT_BEFORE_SHA}}"
    - if ! git cat-file -e "$NX_BASE" 2>/dev/null; then export NX_BASE="$(git rev-parse HEAD~1 2>/dev/null || git rev-parse HEAD)"; fi
  script:
    - ${install.exec} nx affected -t ${target}
  after_script:
    - export NX_HEAD="$CI_COMMIT_SHA"
    - export NX_BASE="\${CI_MERGE_REQUEST_DIFF_BASE_SHA:-\${CI_COMMIT_BEFORE_SHA}}"
    - |
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
