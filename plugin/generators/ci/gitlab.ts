import { GITLAB_REVISIONS, gitlabCache, gitlabInstall, gitlabReport, gitlabRules } from './gitlab-parts.ts';
import type { CiSettings } from './settings.ts';
import { STORE } from './store-script.ts';

/** Text of GitLab jobs: one that does everything. */
export function renderGitlab(settings: CiSettings): string {
  return `experiments:
  image: node:22
${gitlabRules(settings)}
  variables:
    GIT_DEPTH: 0
    NX_DAEMON: 'false'
    NX_EXPERIMENTS_STORE: ${STORE}
${gitlabCache(settings, 'pull-push')}
  before_script:
${gitlabInstall(settings)}
${GITLAB_REVISIONS}
  script:
    - ${settings.install.exec} nx affected -t ${settings.target}
  after_script:
${GITLAB_REVISIONS}
${gitlabReport(settings)}`;
}
