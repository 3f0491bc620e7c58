import { GITLAB_REVISIONS, gitlabCache, gitlabInstall, gitlabReport, gitlabRules } from './gitlab-parts.ts';
import { type CiSettings, indent, type SpreadSettings } from './settings.ts';
import { beginStore, MOVED, packStore, runLines, STORE, unpackStore } from './store-script.ts';

const PIPELINE = 'experiments-pipeline.yml';

/** Text of GitLab jobs: one that plans, and one that starts the pipeline that was planned. */
export function renderGitlabMatrix(settings: SpreadSettings): string {
  const { install, jobs } = settings;
  return `experiments:plan:
  image: node:22
${gitlabRules(settings)}
  variables:
    GIT_DEPTH: 0
    NX_DAEMON: 'false'
    NX_EXPERIMENTS_STORE: ${STORE}
${gitlabCache(settings, 'pull')}
  before_script:
${gitlabInstall(settings)}
${GITLAB_REVISIONS}
  script:
    # When all runners share one cache, --reuse leaves out what it has.
    - ${install.exec} nx-experiments matrix --affected --jobs ${jobs} --format gitlab > ${PIPELINE}
  artifacts:
    paths:
      - ${PIPELINE}

experiments:
${gitlabRules(settings)}
  needs:
    - experiments:plan
  trigger:
    include:
      - artifact: ${PIPELINE}
        job: experiments:plan
    strategy: depend
`;
}

/** Text of what the planned pipeline includes: how its jobs are, and the one that comes last. */
export function renderGitlabJobs(settings: CiSettings): string {
  const { install, target } = settings;
  return `.experiments-job:
  image: node:22
  # Also when a job before it has failed: what does not need that goes on.
  rules:
    - when: always
  variables:
    NX_DAEMON: 'false'
    NX_EXPERIMENTS_STORE: ${STORE}
${gitlabCache(settings, 'pull')}
  before_script:
${gitlabInstall(settings)}
  script:
    - |
${indent([...unpackStore(), ...beginStore()], 6)}
    - |
${indent(runLines(install.exec), 6)}
  after_script:
    - |
${indent(packStore('$NX_EXPERIMENTS_JOB'), 6)}
  artifacts:
    when: always
    expire_in: 1 day
    paths:
      - ${MOVED}

experiments:
  stage: report
  image: node:22
  rules:
    - when: always
  variables:
    GIT_DEPTH: 0
    NX_DAEMON: 'false'
    NX_EXPERIMENTS_STORE: ${STORE}
${gitlabCache(settings, 'pull-push')}
  before_script:
${gitlabInstall(settings)}
  script:
    - |
${indent(unpackStore(), 6)}
    # NX_BASE and NX_HEAD are those of the plan.
    - ${install.exec} nx affected -t ${target}
  after_script:
${gitlabReport(settings)}`;
}
