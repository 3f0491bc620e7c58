import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { digestFile } from '../io/digest-file.ts';
import { decodeHistory, decodeLines } from './lines.ts';
import type { StoreStats } from './store.ts';

interface StoredFile {
  readonly path: string;
  readonly kind: 'records' | 'objects' | 'history' | 'tmp';
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
}

/** Temporary files of writers that died; a living one renames its file within moments. */
const ABANDONED_MS = 3_600_000;
/** Clocks of machines that share a store differ; a file further ahead was written before a clock was set back. */
const AHEAD_MS = 3_600_000;

export interface Pruned {
  readonly removed: number;
  readonly freedBytes: number;
  readonly keptBytes: number;
}

export interface Verified {
  readonly records: number;
  readonly objects: number;
  /** What is remembered of last runs. */
  readonly histories: number;
  /** One sentence for each file that is damaged, or could not be read. */
  readonly problems: readonly string[];
}

/** Sizes of a store; zeros where there is none. */
export async function storeStats(folder: string): Promise<StoreStats> {
  const files = await listFiles(folder);
  let replicates = 0;
  for (const { path } of files.filter((file) => file.kind === 'records')) {
    replicates += decodeLines(await readFile(path, 'utf8').catch(() => '')).entries.size;
  }
  return {
    replicates,
    records: files.filter((file) => file.kind === 'records').length,
    objects: files.filter((file) => file.kind === 'objects').length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  };
}

/**
 * Removes what was used longest ago until the store fits. A run that meets a removed file runs that replicate again.
 *
 * @param now milliseconds since the epoch
 */
export async function pruneStore(folder: string, maxBytes: number, now: number): Promise<Pruned> {
  // History only words the reasons; a replicate is worth more.
  const value = ({ kind }: StoredFile): number => (kind === 'history' ? 0 : 1);
  const files = (await listFiles(folder)).sort((a, b) => value(a) - value(b) || a.usedAt - b.usedAt);
  let keptBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  let removed = 0;
  let freedBytes = 0;
  for (const { path, kind, bytes, usedAt } of files) {
    const abandoned = kind === 'tmp' && Math.abs(now - usedAt) > ABANDONED_MS;
    // It would look like the newest for ever.
    if (usedAt > now + AHEAD_MS && kind !== 'tmp') await utimes(path, now / 1000, now / 1000).catch(() => {});
    if (!abandoned && (keptBytes <= maxBytes || kind === 'tmp')) continue;
    await rm(path, { force: true });
    removed++;
    freedBytes += bytes;
    keptBytes -= bytes;
  }
  return { removed, freedBytes, keptBytes };
}

/**
 * Reads everything again. Damaged objects are removed, so that their replicates run again, and damaged histories; damaged lines
 * are never read.
 */
export async function verifyStore(folder: string): Promise<Verified> {
  const checked = { records: 0, objects: 0, history: 0 };
  const problems: string[] = [];
  for (const { path, kind } of await listFiles(folder)) {
    if (kind === 'tmp') continue;
    try {
      const problem = await problemOf(path, kind);
      if (problem !== undefined) problems.push(problem);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') continue; // a run has let go of it meanwhile
      problems.push(`${path} could not be read: ${message}.`);
    }
    checked[kind]++;
  }
  return { records: checked.records, objects: checked.objects, histories: checked.history, problems };
}

/** @throws when it cannot be read */
async function problemOf(path: string, kind: 'records' | 'objects' | 'history'): Promise<string | undefined> {
  switch (kind) {
    case 'objects': {
      if ((await digestFile(path)) === basename(path)) return undefined;
      await rm(path, { force: true });
      return `The artifact ${basename(path)} was damaged, and is removed.`;
    }
    case 'history': {
      if (decodeHistory(await readFile(path, 'utf8')) !== undefined) return undefined;
      await rm(path, { force: true });
      return `${path} was damaged, and is removed: what it told of the last run is forgotten.`;
    }
    case 'records': {
      const { damaged } = decodeLines(await readFile(path, 'utf8'));
      if (damaged === 0) return undefined;
      return `In ${path}, ${damaged} ${damaged === 1 ? 'line is' : 'lines are'} damaged, and not read.`;
    }
  }
}

async function listFiles(folder: string): Promise<StoredFile[]> {
  const base = join(folder, 'v1');
  const files: StoredFile[] = [];
  for (const kind of ['records', 'objects', 'history', 'tmp'] as const) {
    const entries = await readdir(join(base, kind), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const found = await stat(path).catch(() => undefined);
      if (found) files.push({ path, kind, bytes: found.size, usedAt: found.mtimeMs });
    }
  }
  return files;
}
