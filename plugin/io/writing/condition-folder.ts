import {
  createReadStream,
  createWriteStream,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  type WriteStream,
  writeFileSync,
} from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../../base/digest.ts';
import {
  type ConditionManifest,
  encodeManifest,
  FURTHER_ARTIFACTS,
  furtherArtifacts,
} from '../../runtime/manifest.ts';
import { parseShard, SHARDS_FOLDER } from '../../runtime/shards.ts';
import { growingName, isAbandoned } from './growing.ts';
import { makeEmptyFolder } from './make-folder.ts';
import { replaceFolder } from './replace-folder.ts';

const LOG_CHUNK = 65_536;

/** @param results folder of all conditions' results */
export function artifactsFolder(results: string, condition: string): string {
  return join(results, condition, 'artifacts');
}

/** @param results folder of all conditions' results */
export function manifestPath(results: string, condition: string): string {
  return join(results, condition, 'metrics.json');
}

/**
 * What further-artifacts.json says; undefined when there is none.
 *
 * @param results folder of all conditions' results
 */
export function readFurtherArtifacts(results: string, condition: string): string | undefined {
  const path = join(results, condition, FURTHER_ARTIFACTS);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** File in a shard's folder that says what it was computed with: the shards of a condition must agree on it. */
const KEY_FILE = 'key';

/**
 * What a shard was computed with; undefined when it does not say.
 *
 * @param shards folder of all shards of the condition
 */
export function readKey(shards: string, shard: string): string | undefined {
  try {
    return readFileSync(join(shards, shard, KEY_FILE), 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}

/**
 * The results of one condition while they are made. They grow in a folder of their own beside the final one and
 * take its place in one rename, so that a reader sees the old results or the new ones, and a stopped run leaves the old.
 */
export class ConditionFolder {
  private log: WriteStream | undefined;
  /** Lines that are not handed to the stream yet: many small writes are slow. */
  private lines = '';
  /** What could not be written: the results are not complete then. */
  private problem: Error | undefined;

  /** Absolute path of the folder in which `replicate_<i>` are made. */
  readonly artifacts: string;

  private constructor(
    private readonly final: string,
    private readonly growing: string,
  ) {
    this.artifacts = join(growing, 'artifacts');
  }

  /** @param results folder of all conditions' results */
  static async create(results: string, condition: string): Promise<ConditionFolder> {
    const growing = join(results, growingName(condition));
    await makeEmptyFolder(growing);
    await removeLeftovers(results, [condition]);
    return new ConditionFolder(join(results, condition), growing);
  }

  /** Removes what a failed replicate left. */
  removeReplicate(replicate: number): void {
    try {
      rmSync(join(this.artifacts, `replicate_${replicate}`), { recursive: true, force: true });
    } catch (error) {
      this.problem ??= error as Error;
    }
  }

  /** Adds a line to run.jsonl. */
  record(entry: object): void {
    this.lines += `${JSON.stringify(entry)}\n`;
    if (this.lines.length >= LOG_CHUNK) this.writeLines();
  }

  /** Notes what a shard was computed with. */
  writeKey(key: string): void {
    writeFileSync(join(this.growing, KEY_FILE), `${key}\n`);
  }

  /** Adds the lines of another run.jsonl, when there is one. @returns its last line */
  async include(log: string): Promise<string> {
    let end = '';
    if (!existsSync(log)) return end;
    for await (const text of createReadStream(log, 'utf8')) {
      end = `${end}${text}`.slice(-LOG_CHUNK);
      this.lines += text;
      if (this.lines.length >= LOG_CHUNK) this.writeLines();
    }
    return end.trimEnd().split('\n').at(-1) ?? '';
  }

  /**
   * Writes the manifest last, and puts the whole in the place of what was there.
   *
   * @param declaredReplicates how many the config has
   * @returns the digest of metrics.json
   */
  async publish(manifest: ConditionManifest, declaredReplicates: number): Promise<string> {
    await this.closeLog();
    if (this.problem) throw this.problem;
    const further = furtherArtifacts(manifest, declaredReplicates);
    if (further !== undefined) writeFileSync(join(this.growing, FURTHER_ARTIFACTS), further);
    const text = encodeManifest(manifest);
    writeFileSync(join(this.growing, 'metrics.json'), text);
    await replaceFolder(this.growing, this.final);
    return sha256(text);
  }

  /** Removes all that was made; what was there before stays. */
  async discard(): Promise<void> {
    this.lines = '';
    await this.closeLog();
    await rm(this.growing, { recursive: true, force: true });
  }

  private writeLines(): void {
    if (this.lines === '') return;
    if (this.log === undefined) {
      this.log = createWriteStream(this.logPath);
      this.log.on('error', (error) => {
        this.problem ??= error;
      });
    }
    this.log.write(this.lines);
    this.lines = '';
  }

  private get logPath(): string {
    return join(this.growing, 'run.jsonl');
  }

  private async closeLog(): Promise<void> {
    const { log, lines } = this;
    if (log === undefined) {
      if (lines !== '') writeFileSync(this.logPath, lines);
      return;
    }
    this.writeLines();
    if (log.closed || log.destroyed) return;
    await new Promise<void>((resolve) => {
      log.once('close', () => resolve());
      log.end();
    });
  }
}

/**
 * What a killed run left that was to become one of these folders or files; what a run makes that still lives is left alone.
 *
 * @param names those of conditions, or of the report
 */
export async function removeLeftovers(results: string, names: readonly string[]): Promise<void> {
  const prefixes = names.map((name) => `.${name}.`);
  for (const entry of readdirSync(results)) {
    const prefix = prefixes.find((start) => entry.startsWith(start));
    if (prefix !== undefined && isAbandoned(join(results, entry), entry.slice(prefix.length)))
      await rm(join(results, entry), { recursive: true, force: true });
  }
}

/**
 * Removes the results of a condition's shards, but not those of the division that is in use.
 *
 * @param results folder of all conditions' results
 * @param inUse how many shards the condition has; undefined: none
 */
export async function removeShards(
  results: string,
  condition: string,
  inUse: number | undefined,
): Promise<void> {
  const folder = join(results, SHARDS_FOLDER, condition);
  if (!existsSync(folder)) return;
  for (const name of await readdir(folder)) {
    const [, growing, owner = ''] = /^\.(\w+)\.(.*)$/.exec(name) ?? [];
    const shard = parseShard(growing ?? name);
    const path = join(folder, name);
    if (shard === undefined || shard.n === inUse || (growing !== undefined && !isAbandoned(path, owner)))
      continue;
    await rm(path, { recursive: true, force: true });
  }
  if (inUse !== undefined) return;
  for (const empty of [folder, dirname(folder)]) await rmdir(empty).catch(() => {});
}
