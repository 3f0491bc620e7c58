import { detectPackageManager, output, readNxJson, type Tree } from '@nx/devkit';
import { SettingsError } from '../../base/settings-error.ts';
import { pluginOptions, resolveOptions } from '../../nx/options.ts';
import { renderGithub } from './github.ts';
import { renderGitlab } from './gitlab.ts';
import { installationOf } from './installation.ts';

export interface CiOptions {
  readonly provider?: 'github' | 'gitlab' | 'both';
  readonly branch?: string;
}

const GITHUB = '.github/workflows/experiments.yml';
const GITLAB = '.gitlab/experiments.yml';

/** Adds workflows. A file that says the same is left as it is; another one is never overwritten. */
export default async function addCi(tree: Tree, { provider = 'github', branch }: CiOptions): Promise<void> {
  const nxJson = readNxJson(tree) ?? {};
  const { targetName } = resolveOptions(pluginOptions(nxJson));
  const settings = {
    branch: branch ?? nxJson.defaultBase ?? 'main',
    target: targetName,
    install: installationOf(detectPackageManager(tree.root)),
  };
  if (!/^[\w./-]+$/.test(settings.branch))
    throw new SettingsError(`"--branch=${settings.branch}" is no branch.`);
  if (provider !== 'gitlab') write(tree, GITHUB, renderGithub(settings));
  if (provider === 'github') return;
  write(tree, GITLAB, renderGitlab(settings));
  if (!tree.exists('.gitlab-ci.yml')) tree.write('.gitlab-ci.yml', `include:\n  - local: ${GITLAB}\n`);
  else if (!(tree.read('.gitlab-ci.yml', 'utf8') ?? '').includes(GITLAB)) {
    output.note({
      title: 'Include the jobs in .gitlab-ci.yml:',
      bodyLines: ['include:', `  - local: ${GITLAB}`],
    });
  }
}

function write(tree: Tree, path: string, text: string): void {
  if (tree.exists(path) && tree.read(path, 'utf8') !== text) {
    throw new SettingsError(`${path} is there already: remove it to have it written anew.`);
  }
  tree.write(path, text);
}
