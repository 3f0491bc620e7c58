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

/** What a user should hear of something that was read and not declared; undefined for what Nx hashes anyway. */
export function warningOf({ folder, results }: PlannedCondition, path: string): string | undefined {
  const isResult = `/${path}`.includes(`/${RESULTS}/`) || path.startsWith(`${results}/`);
  if (path.startsWith(`${folder}/`) && !isResult) return undefined;
  const where = isResult
    ? 'neither declared under "inputs" nor referred to under "datasource"'
    : 'not declared under "inputs"';
  return `reads ${path}, which is ${where}: Nx does not notice a change of it`;
}
