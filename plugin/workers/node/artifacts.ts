import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  statSync,
  utimesSync,
  type WriteStream,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { sha256 } from '../../base/digest.ts';
import { suggestion } from '../../base/names.ts';
import { filesBelow } from '../../io/files-below.ts';
import type { Artifact } from '../../runtime/context.ts';
import { ReplicateError } from '../../runtime/failures.ts';
import type { ArtifactRecord } from '../../runtime/manifest.ts';
import type { JobOutput } from '../protocol.ts';
import { errorInfo } from './errors.ts';

/** An output of the job with its writer found. */
export interface BoundOutput extends JobOutput {
  readonly writerName: string;
  readonly write: (value: unknown) => unknown;
}

/** The files of one replicate: hands out each output once, and accounts for them at the end. */
export class ReplicateArtifacts {
  private readonly records = new Map<string, ArtifactRecord>();
  private readonly streams: WriteStream[] = [];
  /** By output: no step need wait for its own. */
  private readonly writes = new Map<string, Promise<void>>();
  /** The way in which an output is written. */
  private readonly claims = new Map<string, 'write' | 'path' | 'stream'>();

  constructor(
    private readonly folder: string,
    private readonly outputs: ReadonlyMap<string, BoundOutput>,
    private readonly root: string,
  ) {}

  /** @param step that asks for it, for errors */
  get(alias: string, step: string): Artifact {
    const output = this.outputs.get(alias);
    if (output === undefined) {
      const remedy = suggestion(alias, [...this.outputs.keys()], 'outputs');
      throw new ReplicateError({ reason: 'output-unknown', output: alias, step, remedy });
    }
    const path = join(this.folder, output.fileName);
    const claim = (way: 'write' | 'path' | 'stream'): void => this.claim(alias, path, way, step);
    return {
      write: (value) => {
        const write = async (): Promise<void> => {
          claim('write');
          const bytes = await this.encode(output, value);
          writeFileSync(path, bytes);
          const length = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.byteLength;
          this.records.set(alias, { fileName: output.fileName, bytes: length, sha256: sha256(bytes) });
        };
        const written = write();
        written.catch(() => {}); // close() throws it
        if (!this.writes.has(alias)) this.writes.set(alias, written);
        return written;
      },
      get path() {
        claim('path');
        return path;
      },
      stream: () => {
        claim('stream');
        const stream = createWriteStream(path);
        stream.on('error', () => {}); // close() throws it
        this.streams.push(stream);
        return stream;
      },
    };
  }

  /** Accounts for every output. @throws ReplicateError when one is missing, or a file lies there that none declares */
  async close(): Promise<Readonly<Record<string, ArtifactRecord>>> {
    for (const stream of this.streams) {
      stream.end();
      await finished(stream);
    }
    const records: Record<string, ArtifactRecord> = {};
    for (const [alias, output] of this.outputs) {
      await this.writes.get(alias);
      records[alias] = this.records.get(alias) ?? (await this.measure(output));
    }
    if (this.claims.size > 0) this.refuseStrays();
    return records;
  }

  /** Lets go of what a failed replicate left open. */
  abandon(): void {
    for (const stream of this.streams) stream.destroy();
  }

  private claim(alias: string, path: string, way: 'write' | 'path' | 'stream', step: string): void {
    const before = this.claims.get(alias);
    if (before === 'path' && way === 'path') return;
    if (before !== undefined)
      throw new ReplicateError({ reason: 'artifact-written-twice', output: alias, step });
    this.claims.set(alias, way);
    mkdirSync(dirname(path), { recursive: true });
  }

  private async encode(output: BoundOutput, value: unknown): Promise<string | Uint8Array> {
    try {
      const encoded = await output.write(value);
      if (typeof encoded === 'string' || encoded instanceof Uint8Array) return encoded;
      throw new TypeError(
        `it returned ${encoded === undefined ? 'nothing' : typeof encoded} instead of text or bytes`,
      );
    } catch (thrown) {
      const error = errorInfo(thrown, this.root);
      throw new ReplicateError({
        reason: 'writer-threw',
        output: output.alias,
        writer: output.writerName,
        error,
      });
    }
  }

  private async measure(output: BoundOutput): Promise<ArtifactRecord> {
    const path = join(this.folder, output.fileName);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
      throw new ReplicateError({
        reason: 'artifact-missing',
        output: output.alias,
        fileName: output.fileName,
      });
    }
    markAsNew(path);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    return { fileName: output.fileName, bytes, sha256: hash.digest('hex') };
  }

  private refuseStrays(): void {
    const declared = new Set([...this.outputs.values()].map((output) => output.fileName));
    for (const file of filesBelow(this.folder)) {
      if (declared.has(file)) continue;
      throw new ReplicateError({ reason: 'artifact-undeclared', fileName: file });
    }
  }
}

/**
 * A copy may have kept the time of its source. Nx's daemon takes a file of the same size and time for unchanged: what was written in this
 * run says so. What is only linked here is not ours to touch.
 */
function markAsNew(path: string): void {
  const now = new Date();
  try {
    if (!lstatSync(path).isSymbolicLink()) utimesSync(path, now, now);
  } catch {
    // a file of somebody else: it is as new as it says
  }
}
