import { join } from 'node:path';
import { compareText } from '../../base/diagnostics.ts';
import { late } from '../../base/late.ts';
import { stateOf } from './file-states.ts';

const fastGlob = late<typeof import('fast-glob')>('fast-glob');

/** What runs itself write, and what nobody declares. */
const NOT_WATCHED = /(?:^|\/)(?:results|node_modules|\.git|\.nx)\//;

/** The files that match a glob, and those that come to match it later: they would be read, but are in no key. */
export class GlobWatch {
  private added: readonly string[] = [];

  private constructor(
    private readonly root: string,
    private readonly pattern: string,
    private readonly ignore: string[],
    /** States of the folders in which a new file could match. */
    private readonly folders: Map<string, string>,
    /** Relative to the root, sorted. */
    readonly files: readonly string[],
  ) {}

  static async begin(root: string, pattern: string, ignore: string[]): Promise<GlobWatch> {
    const places = await foldersOf(root, pattern);
    const folders = new Map(places.map((place) => [place, stateOf(join(root, place))]));
    const files = await fastGlob()(pattern, optionsOf(root, ignore));
    return new GlobWatch(root, pattern, ignore, folders, files.sort(compareText));
  }

  /** Looks again, where something came or went. @returns files that have come to match */
  news(): readonly string[] {
    let isTouched = false;
    for (const [place, before] of this.folders) {
      const now = stateOf(join(this.root, place));
      if (now !== before) isTouched = true;
      this.folders.set(place, now);
    }
    if (!isTouched) return this.added;
    const known = new Set(this.files);
    const found = fastGlob().sync(this.pattern, optionsOf(this.root, this.ignore));
    this.added = found.filter((path) => !known.has(path) && !NOT_WATCHED.test(path)).sort(compareText);
    return this.added;
  }
}

function optionsOf(cwd: string, ignore: string[]) {
  return { cwd, dot: true, ignore, suppressErrors: true };
}

/** The folders that a glob looks into, or more; of a path without wildcards that path, which may come to be there. */
async function foldersOf(root: string, pattern: string): Promise<string[]> {
  if (!fastGlob().isDynamicPattern(pattern)) return [pattern];
  const base = fastGlob().generateTasks(pattern)[0]?.base ?? '.';
  if (!pattern.slice(base.length + 1).includes('/')) return [base];
  const within = base === '.' ? '**' : `${fastGlob().escapePath(base)}/**`;
  const below = await fastGlob()(within, { ...optionsOf(root, []), onlyDirectories: true });
  return [base, ...below.filter((folder) => !NOT_WATCHED.test(`${folder}/`))];
}
