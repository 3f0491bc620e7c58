import { output, readNxJson, type Tree } from '@nx/devkit';
import { isNode, parseAllDocuments } from 'yaml';
import { SettingsError } from '../../base/settings-error.ts';
import type { ExperimentConfig } from '../../config/config.ts';
import { conditionsOf } from '../../graph/conditions.ts';
import { resolveGraph } from '../../graph/resolve.ts';
import { levelsOf } from '../../matrix/levels.ts';
import { GITLAB_JOBS } from '../../matrix/render.ts';
import { pluginOptions, resolveOptions } from '../../nx/options.ts';
import { planConditions } from '../../runtime/plan.ts';
import { experimentsOf } from '../experiments-of-tree.ts';
import { renderGithub } from './github.ts';
import { GITHUB_LEVEL, renderGithubLevel, renderGithubMatrix } from './github-matrix.ts';
import { renderGitlab } from './gitlab.ts';
import { renderGitlabJobs, renderGitlabMatrix } from './gitlab-matrix.ts';
import { installationIn } from './installation.ts';
import { pythonIn } from './python.ts';
import type { SpreadSettings } from './settings.ts';

export interface CiOptions {
  readonly provider?: 'github' | 'gitlab' | 'both';
  readonly branch?: string;
  readonly jobs?: number;
  readonly levels?: number;
}

const GITHUB = '.github/workflows/experiments.yml';
const GITLAB = '.gitlab/experiments.yml';
const MAX_JOBS = 256;
/** Levels that are not needed cost nothing; those that are cost the start of a job. */
const LEVELS = { least: 3, most: 8 };

/** Adds workflows. A file that says the same is left as it is; another one is never overwritten. */
export default async function addCi(tree: Tree, options: CiOptions): Promise<void> {
  const { provider = 'github', jobs } = options;
  const nxJson = readNxJson(tree) ?? {};
  const { targetName } = resolveOptions(pluginOptions(nxJson));
  const experiments = await experimentsOf(tree);
  const settings = {
    // Nx compares with origin/main where there is no local branch; CI names the branch alone.
    branch: options.branch ?? nxJson.defaultBase?.replace(/^origin\//, '') ?? 'main',
    target: targetName,
    install: installationIn(tree),
    python: pythonIn(tree, experiments),
  };
  if (!/^[\w./-]+$/.test(settings.branch))
    throw new SettingsError(`"--branch=${settings.branch}" is no branch.`);
  if (jobs === undefined && options.levels !== undefined)
    throw new SettingsError('"--levels" belongs to "--jobs": give both.');
  const files =
    jobs === undefined
      ? { github: { [GITHUB]: renderGithub(settings) }, gitlab: { [GITLAB]: renderGitlab(settings) } }
      : spread({
          ...settings,
          jobs: checked('jobs', jobs),
          levels: checked('levels', options.levels ?? levelsNow(experiments)),
        });
  if (provider !== 'gitlab') write(tree, files.github);
  if (provider === 'github') return;
  write(tree, files.gitlab);
  if (!tree.exists('.gitlab-ci.yml')) tree.write('.gitlab-ci.yml', `include:\n  - local: ${GITLAB}\n`);
  else if (!includesJobs(tree.read('.gitlab-ci.yml', 'utf8') ?? '')) {
    output.note({
      title: 'Include the jobs in .gitlab-ci.yml:',
      bodyLines: ['include:', `  - local: ${GITLAB}`],
    });
  }
}

/** Whether a pipeline includes our jobs: one path or mapping, or a list of them. A header may stand before it. */
function includesJobs(pipeline: string): boolean {
  const included = parseAllDocuments(pipeline, { logLevel: 'silent' }).flatMap((document) => {
    const include = document.get('include');
    return isNode(include) ? include.toJS(document) : include;
  });
  return included.some((entry) => {
    const path = entry?.local ?? entry;
    return typeof path === 'string' && path.replace(/^\//, '') === GITLAB;
  });
}

function spread(settings: SpreadSettings) {
  return {
    github: { [GITHUB]: renderGithubMatrix(settings), [GITHUB_LEVEL]: renderGithubLevel(settings) },
    gitlab: { [GITLAB]: renderGitlabMatrix(settings), [GITLAB_JOBS]: renderGitlabJobs(settings) },
  };
}

function checked(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= MAX_JOBS) return value;
  throw new SettingsError(`"--${name}" must be a whole number from 1 to ${MAX_JOBS}.`);
}

/** How deep the conditions of the workspace are now, within reason. */
function levelsNow(experiments: readonly ExperimentConfig[]): number {
  const { graph } = resolveGraph(experiments);
  const all = graph.order.flatMap((experiment) =>
    conditionsOf(graph, experiment).map((condition) => ({ experiment, condition })),
  );
  return Math.min(Math.max(levelsOf(planConditions(graph, all)).length, LEVELS.least), LEVELS.most);
}

function write(tree: Tree, files: Readonly<Record<string, string>>): void {
  const taken = Object.entries(files).find(
    ([path, text]) => tree.exists(path) && tree.read(path, 'utf8') !== text,
  );
  if (taken) throw new SettingsError(`${taken[0]} is there already: remove it to have it written anew.`);
  for (const [path, text] of Object.entries(files)) tree.write(path, text);
}
