import type { FileDigests } from '../base/digest.ts';
import { tooManyReads, type Warning, writtenMeanwhile } from './warnings.ts';

/** Beyond this the list of files would outweigh the results. */
const MAX_READS = 200;

/** An experiment by its name, with the workspace code that it reaches. */
export interface Reader {
  readonly experiment: string;
  readonly code: FileDigests;
}

/** What was read, relative to the root, and its state before. */
export interface DiscoveredRead {
  readonly path: string;
  readonly state: string;
}

interface Tracked {
  readonly state: string;
  readonly digest: Promise<string>;
}

/** What a replicate has read so far. */
export interface ReadSoFar {
  /** Undefined: nothing can be kept with it. */
  readonly digests: FileDigests | undefined;
  /** Why not. */
  readonly trouble: Warning | undefined;
}

/** The files of the workspace, by their paths relative to its root. */
export interface ReadFiles {
  digestOf(path: string): Promise<string>;
  stateOf(path: string): string;
}

/**
 * Files that experiments were seen to read although nobody declared them. A replicate may use what another one has read
 * and a module has kept in memory: each counts with all that its experiment, and others that share code with it, have read
 * so far. One for a run.
 */
export class DiscoveredReads {
  private readonly readers = new Map<string, { code: FileDigests; reads: Map<string, Tracked> }>();
  /** Of this moment: what comes together needs one look. */
  private readonly states = new Map<string, string>();

  constructor(private readonly files: ReadFiles) {}

  /** @returns the paths that are new */
  add({ experiment, code }: Reader, found: readonly DiscoveredRead[]): string[] {
    if (found.length === 0) return [];
    const { reads } = this.readers.get(experiment) ?? { reads: new Map<string, Tracked>() };
    this.readers.set(experiment, { code, reads });
    const fresh = found.filter(({ path }) => !reads.has(path));
    for (const { path, state } of fresh) reads.set(path, { state, digest: this.files.digestOf(path) });
    return fresh.map(({ path }) => path);
  }

  /** Undefined when there are none. */
  of({ experiment, code }: Reader): Promise<ReadSoFar> | undefined {
    if (this.readers.size === 0) return undefined;
    const all: [path: string, read: Tracked][] = [];
    for (const [name, reader] of this.readers) {
      if (name === experiment || shareCode(code, reader.code)) all.push(...reader.reads);
    }
    return all.length === 0 ? undefined : this.soFar(all);
  }

  private async soFar(all: readonly (readonly [path: string, read: Tracked])[]): Promise<ReadSoFar> {
    const digests: Record<string, string> = {};
    for (const [path, { digest }] of all) digests[path] = await digest;
    if (Object.keys(digests).length > MAX_READS)
      return { digests: undefined, trouble: tooManyReads(MAX_READS) };
    // Looked at after the digests were taken: they are those of what was read.
    const changed = all.find(([path, { state }]) => this.stateOf(path) !== state)?.[0];
    if (changed !== undefined) return { digests: undefined, trouble: writtenMeanwhile(changed) };
    return { digests, trouble: undefined };
  }

  private stateOf(path: string): string {
    if (this.states.size === 0) setImmediate(() => this.states.clear());
    const state = this.states.get(path) ?? this.files.stateOf(path);
    this.states.set(path, state);
    return state;
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
