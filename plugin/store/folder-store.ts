import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestFile, SMALL_BYTES } from '../io/digest-file.ts';
import { makeFolder } from '../io/writing/make-folder.ts';
import type { ArtifactRecord } from '../runtime/manifest.ts';
import type { ConditionHistory } from './explain.ts';
import { decodeHistory, decodeLines, type Entry, encodeHistory, encodeLine } from './lines.ts';
import { pruneStore } from './maintenance.ts';
import type { RunStore, Shelf, StoredReplicate } from './store.ts';

const TIDY_EVERY_MS = 600_000;
/** A longer file is followed by another one: what is read at once has to fit a string, which has 512 MiB at most. */
const MAX_RECORD_BYTES = 64 * 2 ** 20;
/** Of the limit: writing more than this in one run calls for a look. */
const TIDY_SHARE = 0.05;

/** Tells apart processes that share a store, on this machine and on others; the number tells apart what one of them writes. */
const WRITER = `${process.pid}-${randomBytes(6).toString('hex')}`;
let named = 0;

/**
 * A run store in a folder:
 *
 *     v1/records/<key>/<writer>.log    finished replicates of a condition key, one file for each process that wrote
 *     v1/objects/<aa>/<sha256>         artifacts by content
 *     v1/history/<experiment>/<condition>.json
 *
 * Every process appends to files of its own, and everything else appears by rename: there are no locks, so that
 * machines on one file system can share it.
 */
export class FolderStore implements RunStore {
  private readonly base: string;
  /** Bytes that this process has added. */
  written = 0;

  /** @param maxBytes size beyond which `tidy` lets go of what was used longest ago */
  constructor(
    readonly folder: string,
    private readonly maxBytes: number,
  ) {
    this.base = join(folder, 'v1');
  }

  /** Looks at every file only when this run has written much, or when nobody has looked for a while. */
  async tidy(): Promise<void> {
    const marker = join(this.base, 'tidied');
    if (this.written === 0) return;
    const lookedAt = statSync(marker, { throwIfNoEntry: false })?.mtimeMs;
    const now = Date.now();
    const hasMuch = this.written >= this.maxBytes * TIDY_SHARE;
    if (lookedAt !== undefined && Math.abs(now - lookedAt) < TIDY_EVERY_MS && !hasMuch) return;
    await this.prepare();
    await writeFile(marker, '');
    // A new store holds what this run has written.
    if (lookedAt !== undefined || hasMuch) await pruneStore(this.folder, this.maxBytes, now);
  }

  async shelf(conditionKey: string): Promise<Shelf> {
    const folder = join(this.base, 'records', conditionKey);
    const entries = new Map<string, StoredReplicate>();
    const names = listFolder(folder);
    for (const name of names) {
      const path = join(folder, name);
      const text = readText(path);
      if (text === undefined) continue;
      decodeLines(text, entries);
      touch(path);
    }
    return new FolderShelf(this, folder, entries, startOf(names.at(-1)));
  }

  async readHistory(experiment: string, condition: string): Promise<ConditionHistory | undefined> {
    const text = readText(this.historyPath(experiment, condition));
    return text === undefined ? undefined : decodeHistory(text);
  }

  async writeHistory(experiment: string, condition: string, history: ConditionHistory): Promise<void> {
    const content = encodeHistory(history);
    await this.place(this.historyPath(experiment, condition), (temporary) =>
      writeFileSync(temporary, content),
    );
  }

  async repair(digest: string, path: string): Promise<boolean> {
    return (await this.take(digest, path)) === undefined;
  }

  /** Keeps a file by its content. */
  async keep(digest: string, path: string): Promise<void> {
    const object = this.objectPath(digest);
    if (touch(object)) return;
    await this.place(object, async (temporary) => {
      await copy(path, temporary);
      chmodSync(temporary, 0o444);
      this.written += statSync(temporary).size;
    });
  }

  /** Puts the artifact of that content at a path. @returns why that cannot be done */
  async take(digest: string, path: string): Promise<string | undefined> {
    const object = this.objectPath(digest);
    const found = await digestFile(object).catch(() => undefined);
    if (found === undefined) return `the artifact ${digest.slice(0, 12)} is not in the store`;
    if (found !== digest) {
      remove(object);
      return `the artifact ${digest.slice(0, 12)} in the store was damaged, and is removed`;
    }
    try {
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true });
      await copy(object, path);
      chmodSync(path, 0o644);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return `the artifact ${digest.slice(0, 12)} was removed from the store meanwhile`;
    }
    touch(object);
    return undefined;
  }

  /** Makes a file appear whole or not at all. */
  private async place(path: string, write: (temporary: string) => Promise<void> | void): Promise<void> {
    const temporary = join(this.base, 'tmp', `${WRITER}-${named++}`);
    await this.prepare();
    const folder = dirname(path);
    try {
      await write(temporary);
      if (!this.made.has(folder)) mkdirSync(folder, { recursive: true });
      try {
        renameSync(temporary, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        // Whoever prunes the store may have removed the folder.
        mkdirSync(folder, { recursive: true });
        renameSync(temporary, path);
      }
      this.made.add(folder);
    } catch (error) {
      remove(temporary);
      throw error;
    }
  }

  /** Folders that every write needs. The store is no source of anything: Git and Nx leave it alone. */
  async prepare(): Promise<void> {
    this.prepared ??= (async () => {
      makeFolder(join(this.base, 'tmp'));
      await writeFile(join(this.folder, '.gitignore'), '*\n', { flag: 'wx' }).catch(() => {});
    })();
    await this.prepared;
  }
  private prepared: Promise<void> | undefined;
  /** Folders that were there a moment ago. */
  private readonly made = new Set<string>();

  private objectPath(digest: string): string {
    return join(this.base, 'objects', digest.slice(0, 2), digest);
  }

  private historyPath(experiment: string, condition: string): string {
    return join(this.base, 'history', experiment, `${condition}.json`);
  }
}

class FolderShelf implements Shelf {
  private descriptor: number | undefined;
  /** Replicates that finished in this turn of the event loop: one line for all of them. */
  private unwritten: Entry[] = [];
  private writing: Promise<void> | undefined;
  /** Bytes of the file that is being written. */
  private bytes = 0;

  /** @param newest when the last writer of what is here began */
  constructor(
    private readonly store: FolderStore,
    private readonly folder: string,
    private readonly entries: Map<string, StoredReplicate>,
    private readonly newest: number,
  ) {}

  get(replicateKey: string): StoredReplicate | undefined {
    return this.entries.get(replicateKey);
  }

  put(replicateKey: string, replicate: StoredReplicate, folder: string): Promise<void> {
    const artifacts = Object.values(replicate.artifacts);
    if (artifacts.length === 0) return this.append(replicateKey, replicate);
    return this.keepAll(artifacts, folder).then(() => this.append(replicateKey, replicate));
  }

  async restore(replicate: StoredReplicate, folder: string): Promise<string | undefined> {
    for (const { fileName, sha256: digest } of Object.values(replicate.artifacts)) {
      const problem = await this.store.take(digest, join(folder, fileName));
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.writing;
    this.release();
  }

  private async keepAll(artifacts: readonly ArtifactRecord[], folder: string): Promise<void> {
    for (const { fileName, sha256: digest } of artifacts)
      await this.store.keep(digest, join(folder, fileName));
  }

  private append(replicateKey: string, replicate: StoredReplicate): Promise<void> {
    this.unwritten.push([replicateKey, replicate]);
    this.writing ??= Promise.resolve().then(() => this.write());
    return this.writing;
  }

  /** One write for a line: a killed process leaves whole lines, or a last one that its checksum refuses. */
  private write(): void {
    const line = Buffer.from(encodeLine(this.unwritten));
    this.unwritten = [];
    this.writing = undefined;
    this.descriptor ??= this.open();
    const written = writeSync(this.descriptor, line);
    this.store.written += written;
    this.bytes += written;
    if (this.bytes > MAX_RECORD_BYTES) this.release();
    if (written === line.length) return;
    // Nothing may follow half a line: the next write begins another file.
    this.release();
    throw new Error(`only ${written} of ${line.length} bytes could be written: no space left on the device?`);
  }

  private open(): number {
    makeFolder(this.folder);
    return openSync(join(this.folder, writerName(this.newest)), 'wx');
  }

  private release(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
    this.bytes = 0;
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Shares the blocks of the file where the file system can. */
async function copy(from: string, to: string): Promise<void> {
  if (statSync(from).size <= SMALL_BYTES) copyFileSync(from, to, constants.COPYFILE_FICLONE);
  else await copyFile(from, to, constants.COPYFILE_FICLONE);
}

/** Removes a file, if that can be done: a store may be read-only. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It stays.
  }
}

/** Marks a file as used now. @returns whether it is there */
function touch(path: string): boolean {
  const now = Date.now() / 1000;
  try {
    utimesSync(path, now, now);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/**
 * A name that no other writer has; newer ones sort later, so that what they say goes before what older ones say.
 *
 * @param newest when the last one before began: the clock may have been set back since
 */
function writerName(newest: number): string {
  const startedAt = Math.max(Date.now(), newest + 1)
    .toString(36)
    .padStart(9, '0');
  return `${startedAt}-${WRITER}-${named++}.log`;
}

function startOf(writer: string | undefined): number {
  return Number.parseInt(writer ?? '', 36) || 0;
}
