import { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderGithub } from '../../plugin/generators/ci/github.ts';
import { renderGithubLevel, renderGithubMatrix } from '../../plugin/generators/ci/github-matrix.ts';
import { renderGitlab } from '../../plugin/generators/ci/gitlab.ts';
import { renderGitlabJobs, renderGitlabMatrix } from '../../plugin/generators/ci/gitlab-matrix.ts';
import { installationOf } from '../../plugin/generators/ci/installation.ts';

const MANAGERS = ['npm', 'pnpm', 'yarn'];

const settings = (manager = 'npm') => ({
  branch: 'main',
  target: 'experiment',
  install: installationOf(manager),
  jobs: 5,
  levels: 3,
});

/** What GitHub's own parser says: unknown keys, contexts that are not there, expressions that cannot be read. */
function problemsOf(text: string): string[] {
  const { context } = parseWorkflow({ name: 'workflow.yml', content: text }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}

describe.each(MANAGERS)('GitHub takes what is written for %s:', (manager) => {
  test.each([
    ['one job', renderGithub],
    ['a matrix', renderGithubMatrix],
    ['a level', renderGithubLevel],
  ])('%s', (_name, render) => {
    expect(problemsOf(render(settings(manager)))).toEqual([]);
  });
});

test('what GitHub would refuse is found', () => {
  const text = renderGithubMatrix(settings());
  expect(problemsOf(text.replace('fail-fast', 'fail-fest').replace('runs-on', 'runs-in'))).not.toEqual([]);
  expect(problemsOf(text.replace('needs.plan.result ==', 'needz.plan.result =='))).not.toEqual([]);
});

describe('levels of the GitHub workflow', () => {
  const { jobs } = parse(renderGithubMatrix(settings()));
  test('come one after the other, each only if there is something for it', () => {
    expect(Object.keys(jobs)).toEqual(['plan', 'level-1', 'level-2', 'level-3', 'experiments']);
    expect(jobs['level-3']).toEqual({
      needs: ['plan', 'level-1', 'level-2'],
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: GitHub's expressions
      if: "${{ !cancelled() && needs.plan.result == 'success' && fromJSON(needs.plan.outputs.levels)[2] != null }}",
      uses: './.github/workflows/experiments-level.yml',
      with: {
        matrix: '${{ toJSON(fromJSON(needs.plan.outputs.levels)[2]) }}',
        store: '${{ needs.plan.outputs.store }}',
      },
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: GitHub's expressions
      secrets: 'inherit',
    });
    expect(jobs.experiments.needs).toEqual(['plan', 'level-1', 'level-2', 'level-3']);
  });
  test('are as many as the plan may have', () => {
    expect(JSON.stringify(jobs.plan.steps)).toContain('matrix --affected --jobs 5 --levels 3 --reuse');
  });
  test('use actions of a fixed version', () => {
    const texts = [renderGithub, renderGithubMatrix, renderGithubLevel].map((render) => render(settings()));
    const used = texts.flatMap((text) => [...text.matchAll(/uses: (?!\.\/)(.*)/g)].map(([, name]) => name));
    expect(used.length).toBeGreaterThan(12);
    expect(used.filter((name) => !/@v\d+$/.test(name ?? ''))).toEqual([]);
  });
});

describe('GitLab', () => {
  const plan = parse(renderGitlabMatrix(settings()));
  const jobs = parse(renderGitlabJobs(settings()));
  test('starts the pipeline that was planned', () => {
    expect(Object.keys(plan)).toEqual(['experiments:plan', 'experiments']);
    const [artifact] = plan['experiments:plan'].artifacts.paths;
    expect(plan.experiments.trigger).toEqual({
      include: [{ artifact, job: 'experiments:plan' }],
      strategy: 'depend',
    });
    expect(plan['experiments:plan'].script).toEqual([
      `npx nx-experiments matrix --affected --jobs 5 --format gitlab > ${artifact}`,
    ]);
  });
  test('goes on when a job has failed, and reports last', () => {
    expect(jobs['.experiments-job'].rules).toEqual([{ when: 'always' }]);
    expect(jobs.experiments).toMatchObject({ stage: 'report', rules: [{ when: 'always' }] });
  });
  test('compares with a commit that is there, after the job as before it', () => {
    const { before_script, after_script } = parse(renderGitlab(settings())).experiments;
    expect(after_script.slice(0, 3)).toEqual(before_script.slice(1, 4));
  });
});
