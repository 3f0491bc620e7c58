import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { NxJsonConfiguration, ProjectGraph, TaskGraph } from '@nx/devkit';
import { SettingsError } from '../base/settings-error.ts';

/** What Nx would run. */
export interface NxTasks {
  readonly graph: ProjectGraph;
  readonly tasks: Pick<TaskGraph, 'tasks'> & {
    readonly dependencies: Readonly<Record<string, readonly (string | { readonly id: string })[]>>;
  };
}

/** Commits between which something has changed, as `nx affected` takes them. */
export interface Revisions {
  readonly base?: string | undefined;
  readonly head?: string | undefined;
}

/**
 * Asks Nx itself what it would run: all projects with that target, or those that a change reaches.
 *
 * @throws SettingsError with what Nx says, or how to mend it
 */
export function readNxTasks(
  root: string,
  nxJson: NxJsonConfiguration,
  target: string,
  affected: Revisions | undefined,
): NxTasks {
  const folder = mkdtempSync(join(tmpdir(), 'nx-experiments-'));
  const file = join(folder, 'tasks.json');
  try {
    const revisions = Object.entries(affected ?? {}).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    );
    const args = [affected ? 'affected' : 'run-many', `--targets=${target}`, `--graph=${file}`, ...revisions];
    const { status, stdout, stderr } = spawnSync(process.execPath, [nxOf(root), ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NX_TUI: 'false', NO_COLOR: '1' },
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (status === 0 && existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
    const said = `nx ${args[0]} failed:\n${`${stdout ?? ''}${stderr ?? ''}`.trim()}`;
    throw new SettingsError((affected && revisionProblem(root, nxJson, affected)) ?? said);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The Nx of the workspace, which need not be the one that lies beside this package. */
function nxOf(root: string): string {
  try {
    const path = createRequire(join(root, 'package.json')).resolve('nx/package.json');
    return join(dirname(path), JSON.parse(readFileSync(path, 'utf8')).bin.nx);
  } catch {
    throw new SettingsError(`Nx is not installed in ${root}: run "npm install --save-dev nx".`);
  }
}

/** Why Nx could not compare: asked only when it has failed. */
function revisionProblem(root: string, nxJson: NxJsonConfiguration, given: Revisions): string | undefined {
  const git = (...args: string[]): boolean =>
    spawnSync('git', args, { cwd: root, stdio: 'ignore' }).status === 0;
  if (!git('rev-parse', '--git-dir')) {
    return `--affected compares commits, and ${root} is in no Git repository: leave it out, or run "git init".`;
  }
  const revisions = [
    ['base', 'NX_BASE', given.base ?? (process.env.NX_BASE || (nxJson.defaultBase ?? 'main'))],
    ['head', 'NX_HEAD', given.head ?? (process.env.NX_HEAD || 'HEAD')],
  ] as const;
  for (const [option, variable, revision] of revisions) {
    if (git('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`)) continue;
    return `There is no commit "${revision}" to compare with. Give another one with --${option} or ${variable}; in CI, check out the whole history (fetch-depth: 0).`;
  }
  return undefined;
}
