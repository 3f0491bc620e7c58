import { createWriteStream, rmSync, type WriteStream } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConditionManifest, encodeManifest } from '../runtime/manifest.ts';
import { makeFolder } from './make-folder.ts';
import { replaceFolder } from './replace-folder.ts';

export const RESULTS = 'results';

const LOG_CHUNK = 65_536;

/** Folders that this process has begun: it may run the same condition twice at once. */
let begun = 0;

/** `results/<condition>` of an experiment's folder. */
export function conditionFolder(experimentFolder: string, condition: string): string {
  return join(experimentFolder, RESULTS, condition);
}

export function artifactsFolder(experimentFolder: string, condition: string): string {
  return join(conditionFolder(experimentFolder, condition), 'artifacts');
}

export function manifestPath(experimentFolder: string, condition: string): string {
  return join(conditionFolder(experimentFolder, condition), 'metrics.json');
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

  static async create(experimentFolder: string, condition: string): Promise<ConditionFolder> {
    const results = join(experimentFolder, RESULTS);
    const growing = join(results, `.${condition}.${process.pid}-${begun++}`);
    await rm(growing, { recursive: true, force: true });
    makeFolder(growing);
    await removeLeftovers(results, condition);
    return new ConditionFolder(conditionFolder(experimentFolder, condition), growing);
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

  /** Writes the manifest last, and puts the whole in the place of what was there. */
  async publish(manifest: ConditionManifest): Promise<void> {
    await this.closeLog();
    if (this.problem) throw this.problem;
    const file = await open(join(this.growing, 'metrics.json'), 'w');
    try {
      await file.writeFile(encodeManifest(manifest));
    } finally {
      await file.close();
    }
    await replaceFolder(this.growing, this.final);
  }

  /** Removes all that was made; what was there before stays. */
  async discard(): Promise<void> {
    await this.closeLog();
    await rm(this.growing, { recursive: true, force: true });
  }

  private writeLines(): void {
    if (this.lines === '') return;
    if (this.log === undefined) {
      this.log = createWriteStream(join(this.growing, 'run.jsonl'));
      this.log.on('error', (error) => {
        this.problem ??= error;
      });
    }
    this.log.write(this.lines);
    this.lines = '';
  }

  private closeLog(): Promise<void> {
    this.writeLines();
    const { log } = this;
    if (log === undefined || log.closed || log.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      log.once('close', () => resolve());
      log.end();
    });
  }
}

/** Folders that a killed run of this condition left; those of a run that still lives are left alone. */
async function removeLeftovers(results: string, condition: string): Promise<void> {
  const prefix = `.${condition}.`;
  for (const name of await readdir(results)) {
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
