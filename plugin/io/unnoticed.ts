import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, posix } from 'node:path';
import { git, mayBeInRepository } from './git.ts';
import { targetOf } from './linked.ts';
import { relativePath } from './paths.ts';

/** What makes a folder a project of its own: Nx counts its files there. */
const PROJECT_FILES = ['config.yaml', 'config.yml', 'project.json', 'package.json'];

/** More would be too long a command for some systems. */
const AT_ONCE = 200;

/** Files of a workspace that Nx does not see change, although they lie where it looks. One for a run: it remembers. */
export class Unnoticed {
  private readonly ignored = new Map<string, boolean>();
  private readonly projects = new Map<string, boolean>();

  private readonly realRoot: string;

  constructor(private readonly root: string) {
    this.realRoot = realpathSync(root);
  }

  /** Of files and folders in an experiment's folder. Paths are relative to the root */
  async within(folder: string, paths: readonly string[]): Promise<string[]> {
    const hidden = new Set(await this.hidden(paths));
    return paths.filter(
      (path) =>
        hidden.has(path) ||
        !this.target(path).startsWith(`${folder}/`) ||
        this.isInProjectBelow(folder, posix.dirname(path)),
    );
  }

  /** Those that an ignore file hides; where there is no Git, nobody asks. */
  async hidden(paths: readonly string[]): Promise<string[]> {
    // Git refuses what lies behind a link.
    const unknown = paths.filter((path) => !this.ignored.has(path) && this.target(path) === path);
    if (unknown.length > 0) {
      const found = new Set(await this.askGit(unknown));
      for (const path of unknown) this.ignored.set(path, found.has(path));
    }
    return paths.filter((path) => this.ignored.get(path));
  }

  /** Where a path leads when it is a link, or lies behind one. */
  target(path: string): string {
    const target = targetOf(join(this.realRoot, path));
    return target === undefined ? path : relativePath(this.realRoot, target);
  }

  private isInProjectBelow(folder: string, at: string): boolean {
    if (!at.startsWith(`${folder}/`)) return false;
    const known = this.projects.get(at);
    const isOne = known ?? PROJECT_FILES.some((name) => existsSync(join(this.root, at, name)));
    this.projects.set(at, isOne);
    return isOne || this.isInProjectBelow(folder, posix.dirname(at));
  }

  private async askGit(paths: readonly string[]): Promise<string[]> {
    if (!mayBeInRepository(this.root)) return [];
    const nxIgnore = join(this.root, '.nxignore');
    const shown = shownBy(nxIgnore);
    // Nx goes by what the files say, also of what Git tracks.
    const args = [
      '-c',
      'core.quotePath=false',
      '-c',
      `core.excludesFile=${nxIgnore}`,
      'check-ignore',
      '--no-index',
      '--',
    ];
    const found: string[] = [];
    for (let from = 0; from < paths.length; from += AT_ONCE) {
      // It fails when none is ignored.
      const text = await git(this.root, [...args, ...paths.slice(from, from + AT_ONCE)]).catch(() => '');
      found.push(...text.split('\n'));
    }
    return found.filter((path) => !shown.some((place) => `${path}/`.startsWith(`${place}/`)));
  }
}

/** What the lines of a .nxignore that begin with "!" name: Nx sees it although Git does not. */
function shownBy(nxIgnore: string): string[] {
  if (!existsSync(nxIgnore)) return [];
  const lines = readFileSync(nxIgnore, 'utf8').split(/\r?\n/);
  return lines.flatMap((line) =>
    line.startsWith('!')
      ? [
          line
            .slice(1)
            .trim()
            .replace(/^\/|\/$/g, ''),
        ]
      : [],
  );
}
