import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderGithub } from '../../plugin/generators/ci/github.ts';
import { renderGithubLevel, renderGithubMatrix } from '../../plugin/generators/ci/github-matrix.ts';
import { renderGitlab } from '../../plugin/generators/ci/gitlab.ts';
import { renderGitlabJobs, renderGitlabMatrix } from '../../plugin/generators/ci/gitlab-matrix.ts';
import { installationOf } from '../../plugin/generators/ci/installation.ts';

const MANAGERS = ['npm', 'pnpm', 'yarn', 'bun'];

const settings = (manager = 'npm', branch = 'main') => ({
  branch,
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

test('Bun is installed by its action on GitHub and by npm on GitLab; setup-node has no cache for it', () => {
  const { steps } = parse(renderGithub(settings('bun'))).jobs.experiments;
  expect(steps.slice(1, 4)).toEqual([
    { uses: 'oven-sh/setup-bun@v2' },
    { uses: 'actions/setup-node@v6', with: { 'node-version': 22 } },
    { run: 'bun install --frozen-lockfile' },
  ]);
  expect(steps).toContainEqual({ run: 'bunx nx affected -t experiment' });
  expect(parse(renderGitlab(settings('bun'))).experiments.before_script.slice(0, 2)).toEqual([
    'npm install --global bun',
    'bun install --frozen-lockfile',
  ]);
});

test('every job has its store where the cache is', () => {
  const store = { NX_EXPERIMENTS_STORE: '.nx/experiments' };
  for (const render of [renderGithub, renderGithubMatrix, renderGithubLevel])
    for (const job of Object.values<{ steps?: object; env?: object }>(parse(render(settings())).jobs))
      if (job.steps !== undefined) expect(job.env).toMatchObject(store);
  for (const render of [renderGitlab, renderGitlabMatrix, renderGitlabJobs])
    for (const job of Object.values<{ cache?: object; variables?: object }>(parse(render(settings()))))
      if (job.cache !== undefined) expect(job.variables).toMatchObject(store);
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
  test('falls back on the cache of the main branch by the name that GitLab gives it', () => {
    const { key, fallback_keys } = parse(renderGitlab(settings('npm', `Release/${'v_1.0-'.repeat(12)}`)))
      .experiments.cache;
    expect(key).toBe('nx-experiments-$CI_COMMIT_REF_SLUG');
    expect(fallback_keys).toEqual([
      'nx-experiments-release-v-1-0-v-1-0-v-1-0-v-1-0-v-1-0-v-1-0-v-1-0-v-1-0-v-1-0-v',
    ]);
  });
  test('takes the commit before, and nothing at all before the first one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'revisions-'));
    try {
      const shell = (script: string): string =>
        execFileSync('bash', ['-ec', script], { cwd: folder, encoding: 'utf8' }).trim();
      const commit = 'git -c user.name=test -c user.email=test@example.org commit -q --allow-empty -m x';
      const base = (before: string): string =>
        shell(
          [
            `CI_COMMIT_SHA=$(git rev-parse HEAD) CI_COMMIT_BEFORE_SHA=${before}`,
            ...parse(renderGitlab(settings())).experiments.before_script.slice(1),
            'echo "$NX_BASE"',
          ].join('\n'),
        );
      const none = '0'.repeat(40);
      shell(`git init -q . && ${commit}`);
      const first = shell('git rev-parse HEAD');
      expect(base(none)).toBe('4b825dc642cb6eb9a060e54bf8d69288fbee4904');
      shell(commit);
      expect(base(none)).toBe(first);
      shell(commit);
      expect(base(first)).toBe(first);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
