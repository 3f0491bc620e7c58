import type { FileDigests } from '../base/digest.ts';
import { type PlannedCondition, RESULTS } from './plan.ts';

/** Beyond this the list of files would outweigh the results. */
const MAX_READS = 200;

/** An experiment by its name, with the workspace code that it reaches. */
export interface Reader {
  readonly experiment: string;
  readonly code: FileDigests;
}

/** What was read, and when. */
export interface Read {
  /** Relative to the root, with a slash at the end of a folder's. */
  readonly path: string;
  readonly state: string;
}

/** Looks at what was read. */
export interface Reads {
  /** Rejects when there is nothing. */
  digest(path: string): Promise<string>;
  hasChanged(path: string, state: string): boolean;
}

interface Known {
  readonly state: string;
  readonly digest: Promise<string>;
}

/**
 * Files that experiments were seen to read although nobody declared them. A replicate may use what another one has read
 * and a module has kept in memory: each counts with all that its experiment, and others that share code with it, have read
 * so far. One for a run.
 */
export class DiscoveredReads {
  private readonly readers = new Map<string, { code: FileDigests; reads: Map<string, Known> }>();
  private readonly changed = new Set<string>();
  private looked = false;

  constructor(private readonly files: Reads) {}

  /** @returns the paths of those that are new */
  add({ experiment, code }: Reader, found: readonly Read[]): string[] {
    if (found.length === 0) return [];
    const { reads } = this.readers.get(experiment) ?? { reads: new Map<string, Known>() };
    this.readers.set(experiment, { code, reads });
    const fresh = found.filter(({ path }) => !reads.has(path));
    for (const { path, state } of fresh)
      reads.set(path, { state, digest: this.files.digest(path).catch(() => 'missing') });
    return fresh.map(({ path }) => path);
  }

  /**
   * Digests by path; undefined when there are none.
   *
   * @returns when results cannot be kept: `too-many`, or the path of what has changed since it was read
   */
  of({ experiment, code }: Reader): Promise<FileDigests> | 'too-many' | { changed: string } | undefined {
    if (this.readers.size === 0) return undefined;
    this.look();
    const all = new Map<string, Promise<string>>();
    for (const [name, reader] of this.readers) {
      if (name !== experiment && !shareCode(code, reader.code)) continue;
      for (const [path, { digest }] of reader.reads) {
        if (this.changed.has(path)) return { changed: path };
        all.set(path, digest);
      }
    }
    if (all.size === 0) return undefined;
    if (all.size > MAX_READS) return 'too-many';
    const digests = [...all].map(async ([path, digest]) => [path, await digest] as const);
    return Promise.all(digests).then((pairs) => Object.fromEntries(pairs));
  }

  /** Answers that come together need one look. */
  private look(): void {
    if (this.looked) return;
    this.looked = true;
    setImmediate(() => {
      this.looked = false;
    });
    for (const { reads } of this.readers.values()) {
      for (const [path, { state }] of reads) if (this.files.hasChanged(path, state)) this.changed.add(path);
    }
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

/** @param path of what has changed since it was read */
export function warningOfChange(path: string): ReadWarning {
  return {
    about: 'changed',
    text: `${path} is read and written to while it runs: nobody knows what was read, so that results are not kept for the next run`,
  };
}
