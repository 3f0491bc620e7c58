import { createWriteStream, existsSync, readdirSync, rmSync, type WriteStream, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../base/digest.ts';
import { type ConditionManifest, encodeManifest } from '../runtime/manifest.ts';
import { makeFolder } from './make-folder.ts';
import { replaceFolder } from './replace-folder.ts';

const LOG_CHUNK = 65_536;

/** Folders that this process has begun: it may run the same condition twice at once. */
let begun = 0;

/** @param results folder of all conditions' results */
export function artifactsFolder(results: string, condition: string): string {
  return join(results, condition, 'artifacts');
}

/** @param results folder of all conditions' results */
export function manifestPath(results: string, condition: string): string {
  return join(results, condition, 'metrics.json');
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

  private constructor(
    private readonly final: string,
    private readonly growing: string,
  ) {}

  /** @param results folder of all conditions' results */
  static async create(results: string, condition: string): Promise<ConditionFolder> {
    const growing = join(results, `.${condition}.${process.pid}-${begun++}`);
    if (existsSync(growing)) await rm(growing, { recursive: true, force: true });
    makeFolder(growing);
    await removeLeftovers(results, condition);
    return new ConditionFolder(join(results, condition), growing);
  }

  /** Absolute path of the folder in which `replicate_<i>` are made. */
  get artifacts(): string {
    return join(this.growing, 'artifacts');
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

  /** Writes the manifest last, and puts the whole in the place of what was there. @returns the digest of metrics.json */
  async publish(manifest: ConditionManifest): Promise<string> {
    await this.closeLog();
    if (this.problem) throw this.problem;
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

/** Folders that a killed run of this condition left; those of a run that still lives are left alone. */
async function removeLeftovers(results: string, condition: string): Promise<void> {
  const prefix = `.${condition}.`;
  for (const name of readdirSync(results)) {
    if (!name.startsWith(prefix)) continue;
    const [, pid] = /^(\d+)(?:-\d+)?(?:\.old)?$/.exec(name.slice(prefix.length)) ?? [];
    if (pid === undefined || Number(pid) === process.pid || isAlive(Number(pid))) continue;
    await rm(join(results, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
