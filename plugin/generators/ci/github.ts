import {
  GITHUB_ENVIRONMENT,
  githubHead,
  githubReport,
  githubRestore,
  githubSetup,
  githubShas,
} from './github-parts.ts';
import type { CiSettings } from './settings.ts';

/** Text of a GitHub Actions workflow with one job. */
export function renderGithub(settings: CiSettings): string {
  return `${githubHead(settings)}
jobs:
  experiments:
    runs-on: ubuntu-latest
${GITHUB_ENVIRONMENT}
    steps:
${githubSetup(settings, true)}
${githubShas(settings)}
${githubRestore(settings)}
${githubReport(settings)}`;
}
