import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageFile } from '../base/package-files.ts';
import { makeFolder } from '../io/writing/make-folder.ts';
import { type ElementState, type Engine, type EngineElement, type Job, WHOLE } from './engine.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';
import { quote } from './shell-words.ts';

const RUNNER = packageFile('dist/scale/local-job.cjs');
const POLL_MS = 50;

/** What a job's process keeps of itself. */
export interface LocalState extends ProcessIdentity {
  readonly elements: Readonly<Record<string, ElementState>>;
  /** That of the element that runs, which leads a group of its own and outlives the job's process when that is killed. */
  readonly child?: ProcessIdentity | undefined;
}

/**
 * Jobs as processes of this machine: to try a submission out, and where there is no cluster. Each job is a process that
 * waits for those before it, and then runs its elements one after the other.
 */
export class LocalEngine implements Engine {
  /** @param folder absolute path: a folder for each job */
  constructor(private readonly folder: string) {}

  async submit(job: Job): Promise<string> {
    makeFolder(this.folder);
    for (
      let next = Math.max(0, ...(await readdir(this.folder)).map(Number).filter(Number.isInteger)) + 1;
      ;
      next++
    ) {
      const own = join(this.folder, `${next}`);
      try {
        mkdirSync(own);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        continue;
      }
      await writeFile(join(own, 'job.json'), JSON.stringify(job));
      const log = openSync(join(own, 'log'), 'a');
      const stdio = ['ignore', log, log] as const;
      const child = spawn(process.execPath, [RUNNER, this.folder, `${next}`], {
        detached: true,
        stdio: [...stdio],
      });
      child.unref();
      // From its first state on, the job is known to everyone.
      while (this.stateOf(`${next}`) === undefined && child.exitCode === null) await sleep(POLL_MS);
      return `${next}`;
    }
  }

  async poll(jobs: readonly { readonly id: string; readonly name: string }[]): Promise<EngineElement[]> {
    return jobs.flatMap(({ id, name }) => {
      const job = this.jobOf(id);
      const state = this.stateOf(id);
      if (job?.name !== name || state === undefined) return [];
      const [alive, orphaned] = [isRunning(state), isOrphaned(state)];
      return elementsOf(job).map((element): EngineElement => {
        const told = state.elements[element] ?? 'pending';
        const lives = alive || (told === 'running' && orphaned);
        const gone = (told === 'pending' || told === 'running') && !lives;
        const detail = gone ? 'its process is gone' : '';
        return { job: id, element, state: gone ? 'failed' : told, detail, host: '' };
      });
    });
  }

  async cancel(jobs: readonly { readonly id: string; readonly name: string }[]): Promise<void> {
    for (const { job } of await this.active(jobs)) {
      const state = this.stateOf(job);
      if (state === undefined) continue;
      if (isRunning(state)) process.kill(state.pid, 'SIGTERM');
      else if (state.child !== undefined && isOrphaned(state)) process.kill(-state.child.pid, 'SIGTERM');
    }
    while ((await this.active(jobs)).length > 0) await sleep(POLL_MS);
  }

  async forget(jobs: readonly { readonly id: string; readonly name: string }[]): Promise<void> {
    for (const { id, name } of jobs) {
      if (this.jobOf(id)?.name === name) await rm(join(this.folder, id), { recursive: true, force: true });
    }
  }

  describe(job: Job): string {
    const after = job.after.length > 0 ? `after ${job.after.join(', ')}: ` : '';
    return `${elementsOf(job)
      .map((element) => `${after}${[...job.command, element].map(quote).join(' ')}`)
      .join('\n')}\n`;
  }

  private async active(jobs: Parameters<Engine['poll']>[0]): Promise<EngineElement[]> {
    return (await this.poll(jobs)).filter(({ state }) => state === 'pending' || state === 'running');
  }

  jobOf(id: string): Job | undefined {
    return readJson(join(this.folder, id, 'job.json')) as Job | undefined;
  }

  private stateOf(id: string): LocalState | undefined {
    return readJson(join(this.folder, id, 'state.json')) as LocalState | undefined;
  }
}

/** Whether an element still runs whose job's process is gone. */
function isOrphaned(state: LocalState): boolean {
  return !isRunning(state) && state.child !== undefined && isRunning(state.child);
}

export function elementsOf({ elements }: Job): string[] {
  return elements === undefined ? [WHOLE] : elements.map(String);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
