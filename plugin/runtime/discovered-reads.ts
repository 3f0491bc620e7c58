import type { FileDigests } from '../base/digest.ts';
import { type PlannedCondition, RESULTS } from './plan.ts';

/** Beyond this the list of files would outweigh the results. */
const MAX_READS = 200;

/** An experiment by its name, with the workspace code that it reaches. */
export interface Reader {
  readonly experiment: string;
  readonly code: FileDigests;
}

/**
 * Files that experiments were seen to read although nobody declared them. A replicate may use what another one has read
 * and a module has kept in memory: each counts with all that its experiment, and others that share code with it, have read
 * so far. One for a run.
 */
export class DiscoveredReads {
  private readonly readers = new Map<string, { code: FileDigests; reads: Map<string, Promise<string>> }>();

  /** @param digest of the content of a file by its path; rejects when there is none */
  constructor(private readonly digest: (path: string) => Promise<string>) {}

  /** @returns those that are new */
  add({ experiment, code }: Reader, paths: readonly string[]): string[] {
    if (paths.length === 0) return [];
    const { reads } = this.readers.get(experiment) ?? { reads: new Map<string, Promise<string>>() };
    this.readers.set(experiment, { code, reads });
    const fresh = paths.filter((path) => !reads.has(path));
    for (const path of fresh)
      reads.set(
        path,
        this.digest(path).catch(() => 'missing'),
      );
    return fresh;
  }

  /** Undefined when there are none; `too-many` when results cannot be kept for that. */
  of({ experiment, code }: Reader): Promise<FileDigests> | 'too-many' | undefined {
    if (this.readers.size === 0) return undefined;
    const all = new Map<string, Promise<string>>();
    for (const [name, reader] of this.readers) {
      if (name !== experiment && !shareCode(code, reader.code)) continue;
      for (const [path, digest] of reader.reads) all.set(path, digest);
    }
    if (all.size === 0) return undefined;
    if (all.size > MAX_READS) return 'too-many';
    const digests = [...all].map(async ([path, digest]) => [path, await digest] as const);
    return Promise.all(digests).then((pairs) => Object.fromEntries(pairs));
  }
}

/** A module could keep what it has read; a tsconfig or a list of packages could not. */
function shareCode(a: FileDigests, b: FileDigests): boolean {
  return Object.keys(a).some(
    (path) =>
      Object.hasOwn(b, path) &&
      /\.(?:[cm]?[jt]sx?|py|json)$/.test(path) &&
      !/tsconfig[^/]*\.json$/.test(path),
  );
}

export interface ReadWarning {
  /** Warnings about the same are one, told at the first. */
  readonly about: string;
  readonly text: string;
}

/** What a user should hear of what was read and not declared: one warning for each folder. Nx hashes what lies in the experiment's. */
export function warningsOf({ folder, results }: PlannedCondition, paths: readonly string[]): ReadWarning[] {
  const isResult = (path: string): boolean =>
    `/${path}`.includes(`/${RESULTS}/`) || path.startsWith(`${results}/`);
  const told = paths.filter((path) => isResult(path) || !path.startsWith(`${folder}/`));
  const folders = new Map<string, string[]>();
  for (const path of told) {
    const place = path.slice(0, path.lastIndexOf('/') + 1);
    folders.set(place, [...(folders.get(place) ?? []), path]);
  }
  return [...folders].map(([place, inside]) => {
    const [first, ...others] = inside.filter((path) => path !== place);
    const what = others.length > 0 ? `${others.length + 1} files of ${place}` : (first ?? place);
    const [are, them] = others.length > 0 ? ['are', 'them'] : ['is', 'it'];
    const where = isResult(place + (first ?? ''))
      ? 'neither declared under "inputs" nor referred to under "datasource"'
      : 'not declared under "inputs"';
    return {
      about: place,
      text: `reads ${what}, which ${are} ${where}: Nx does not notice a change of ${them}`,
    };
  });
}

/** @param path of a file outside of the workspace, absolute */
export function warningOfOutside(path: string): ReadWarning {
  return {
    about: 'outside',
    text: `reads ${path}, outside of the workspace: a change of it goes unnoticed. Copied into the workspace it can be declared under "inputs"`,
  };
}

export const TOO_MANY: ReadWarning = {
  about: 'too many',
  text: `reads more than ${MAX_READS} files that are not declared under "inputs": too many to keep track of, so that everything runs again each time`,
};
