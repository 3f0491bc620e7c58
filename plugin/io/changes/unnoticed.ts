import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, posix } from 'node:path';
import { targetOf } from '../code/linked.ts';
import { git, mayBeInRepository } from '../git.ts';
import { relativePath } from '../paths.ts';

/** What makes a folder a project of its own: Nx counts its files there. */
const PROJECT_FILES = ['config.yaml', 'config.yml', 'project.json', 'package.json'];

/** Files of a workspace that Nx does not see change, although they lie where it looks. Paths are relative to the root. */
export class Unnoticed {
  private readonly projects = new Map<string, boolean>();
  private readonly targets = new Map<string, string>();
  private ignored: ReadonlySet<string> = new Set();
  private readonly realRoot: string;

  private constructor(private readonly root: string) {
    this.realRoot = realpathSync(root);
  }

  /** Asks Git once. @param paths of which an ignore file may hide some; where there is no Git, nobody asks */
  static async look(root: string, paths: readonly string[]): Promise<Unnoticed> {
    const unnoticed = new Unnoticed(root);
    if (!mayBeInRepository(root)) return unnoticed;
    // Git refuses what lies behind a link.
    const plain = [...new Set(paths)].filter((path) => unnoticed.target(path) === path);
    if (plain.length > 0) unnoticed.ignored = new Set(await ignoredOf(root, plain));
    return unnoticed;
  }

  /** Of files and folders in an experiment's folder. */
  within(folder: string, paths: readonly string[]): string[] {
    return paths.filter(
      (path) =>
        this.ignored.has(path) ||
        !this.target(path).startsWith(`${folder}/`) ||
        this.isInProjectBelow(folder, posix.dirname(path)),
    );
  }

  /** Those that an ignore file hides. */
  hidden(paths: readonly string[]): string[] {
    return paths.filter((path) => this.ignored.has(path));
  }

  /** Where a path leads when it is a link, or lies behind one. */
  target(path: string): string {
    const known = this.targets.get(path);
    if (known !== undefined) return known;
    const target = targetOf(join(this.realRoot, path));
    const found = target === undefined ? path : relativePath(this.realRoot, target);
    this.targets.set(path, found);
    return found;
  }

  private isInProjectBelow(folder: string, at: string): boolean {
    if (!at.startsWith(`${folder}/`)) return false;
    const known = this.projects.get(at);
    const isOne = known ?? PROJECT_FILES.some((name) => existsSync(join(this.root, at, name)));
    this.projects.set(at, isOne);
    return isOne || this.isInProjectBelow(folder, posix.dirname(at));
  }
}

async function ignoredOf(root: string, paths: readonly string[]): Promise<string[]> {
  const nxIgnore = join(root, '.nxignore');
  // Nx goes by what the files say, also of what Git tracks.
  const args = ['-c', `core.excludesFile=${nxIgnore}`, 'check-ignore', '--no-index', '--stdin', '-z'];
  // It fails when none is ignored.
  const text = await git(root, args, { input: paths.join('\0') }).catch(() => '');
  const shown = shownBy(nxIgnore);
  return text.split('\0').filter((path) => !shown.some((place) => `${path}/`.startsWith(`${place}/`)));
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
