import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { SettingsError } from '../base/settings-error.ts';
import { spans } from '../store/explain.ts';
import {
  type ElementState,
  type Engine,
  type EngineElement,
  type Job,
  SilentEngineError,
  UncertainJobError,
  WHOLE,
} from './engine.ts';
import { quote } from './shell-words.ts';

/** Ids in one call, which has a limit. */
const IDS = 2000;

/** What a command may take: sbatch tries again for minutes by itself while the controller is busy. */
const LIMITS_MS = { sbatch: 10 * 60_000, squeue: 60_000, scancel: 60_000 } as const;

/** Of squeue: job, element, state, reason, node, name. The last may hold anything. */
const FORMAT = '%F|%K|%T|%r|%N|%j';

/** Options of sbatch that a submission stands on. */
const OURS =
  'array clusters dependency kill-on-invalid-dep job-name output error open-mode parsable wrap chdir workdir hold test-only wait help usage version'.split(
    ' ',
  );
/** The same by their letters, also behind letters that take no value. */
const OUR_LETTERS = /^-[IkOQsvX]*[adJoeDHMWhV]/;

/** Options of sbatch that take no word after them. */
const FLAGS =
  'contiguous exclusive get-user-env ignore-pbs nice no-kill no-requeue overcommit oversubscribe share propagate quiet reboot requeue spread-job use-min-nodes verbose'.split(
    ' ',
  );
const FLAG_LETTERS = /^-[IkOQsvX]+$/;

/** Variables of a person that would give our calls another meaning. Others, such as SBATCH_PARTITION, are theirs to set. */
const DROPPED = {
  sbatch: /^SBATCH_(ARRAY_INX|CLUSTERS|ERROR|WAIT)$/,
  squeue: /^SQUEUE_/,
  scancel: /^SCANCEL_/,
} as const;

/**
 * Slurm by its commands: sbatch, squeue, scancel. It needs no accounting database; Slurm itself forgets jobs some minutes
 * after their end (MinJobAge), and then only what they have left tells of them.
 */
export class SlurmEngine implements Engine {
  constructor(private readonly limitsMs: Readonly<Record<Command, number>> = LIMITS_MS) {}

  async submit(job: Job): Promise<string> {
    const script = `${job.files}.sh`;
    await writeFile(script, scriptOf(job));
    const told = await this.call('sbatch', [...argumentsOf(job), script]);
    if (told === undefined) {
      throw new UncertainJobError(
        `sbatch did not answer ${this.within('sbatch')} and was stopped. Slurm may have taken ${job.name} all the same: look with squeue --me --name=${job.name}, and end what is there with scancel before you submit again.`,
      );
    }
    if (told.code !== 0)
      throw new SettingsError(`sbatch refused ${job.name}: ${problemOf(told)}${adviceFor(job, told)}`);
    const [, id] = /^(\d+)(?:;.*)?$/m.exec(told.stdout) ?? [];
    if (id === undefined) throw new SettingsError(`sbatch gave no id of a job, but: ${told.stdout.trim()}`);
    return id;
  }

  async poll(jobs: readonly { readonly id: string; readonly name: string }[]): Promise<EngineElement[]> {
    const names = new Map(jobs.map(({ id, name }) => [id, name]));
    const found: EngineElement[] = [];
    for (const ids of chunks([...names.keys()])) {
      const told = await this.call('squeue', [
        `--jobs=${ids.join()}`,
        '--states=all',
        '--array',
        '--noheader',
        `--format=${FORMAT}`,
      ]);
      if (told === undefined)
        throw new SilentEngineError(
          `squeue did not answer ${this.within('squeue')}. What was submitted goes on; when this stays so, ask those who run the cluster (scontrol ping).`,
        );
      // It says so when it has forgotten all of them.
      if (told.code !== 0 && !/Invalid job id/i.test(told.stderr))
        throw new SilentEngineError(`squeue failed: ${problemOf(told)}`);
      for (const line of told.stdout.split('\n')) {
        const [job = '', index = '', state = '', reason = '', host = '', ...name] = line.split('|');
        // After a controller has lost its state, an id may belong to somebody else.
        if (names.get(job) !== name.join('|')) continue;
        found.push({ job, element: /^\d+$/.test(index) ? index : WHOLE, ...meaningOf(state, reason), host });
      }
    }
    return found;
  }

  async cancel(jobs: readonly { readonly id: string; readonly name: string }[]): Promise<void> {
    const active = (await this.poll(jobs)).filter(({ state }) => state === 'pending' || state === 'running');
    for (const ids of chunks([...new Set(active.map(({ job }) => job))])) {
      const told = await this.call('scancel', ids);
      if (told === undefined) throw new SilentEngineError(`scancel did not answer ${this.within('scancel')}`);
      if (told.code !== 0 && !/already|Invalid job id/i.test(told.stderr))
        throw new SettingsError(`scancel failed: ${problemOf(told)}`);
    }
  }

  /** Slurm does so by itself. */
  async forget(): Promise<void> {}

  private within(command: Command): string {
    return `within ${this.limitsMs[command] / 1000} s`;
  }

  private call(command: Command, args: readonly string[]): Promise<Told | undefined> {
    return call(command, args, this.limitsMs[command]);
  }

  describe(job: Job): string {
    const call = ['sbatch', ...argumentsOf(job), `${job.files}.sh`].map(quote).join(' ');
    return `${call}\n\n${scriptOf(job).replace(/^/gm, '    ').trimEnd()}\n`;
  }
}

/** Arguments of a person for sbatch. @throws SettingsError for those that a submission decides itself */
export function checkExtra(words: readonly string[]): readonly string[] {
  const refused = words.find(isOurs);
  if (refused !== undefined) {
    throw new SettingsError(
      `--sbatch cannot take "${refused}": jobs, their order, their names, their logs and their cluster are what a submission decides.`,
    );
  }
  const bare = words.find((word, i) => /^(--?$|[^-]|$)/.test(word) && !takesWord(words[i - 1]));
  if (bare !== undefined) {
    throw new SettingsError(
      `--sbatch cannot take "${bare}": sbatch would run it as the script. Give options with their values, such as --gres=gpu:1.`,
    );
  }
  return words;
}

/** sbatch takes the beginning of an option's name for the option. */
function isOurs(word: string): boolean {
  return OUR_LETTERS.test(word) || begins(word, OURS);
}

/** Whether the word after this one is its value. */
function takesWord(word = ''): boolean {
  return /^(-[A-Za-z]|--[^=]+)$/.test(word) && !FLAG_LETTERS.test(word) && !begins(word, FLAGS);
}

function begins(word: string, options: readonly string[]): boolean {
  const [, name] = /^--([^=]+)/.exec(word) ?? [];
  return name !== undefined && options.some((option) => option.startsWith(name));
}

function argumentsOf({ name, elements, after, logs, resources }: Job): string[] {
  if (logs.includes('\\')) {
    throw new SettingsError(
      `Slurm writes no logs below a folder whose name holds a backslash: ${logs}. Give the workspace another name.`,
    );
  }
  const { partition, time, memory, cpus, account, extra } = resources;
  const option = (key: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`--${key}=${value}`];
  return [
    '--parsable',
    `--job-name=${name}`,
    // Slurm expands what follows a percent sign.
    `--output=${logs.replaceAll('%', '%%')}/${elements === undefined ? WHOLE : '%a'}.log`,
    // A job that is requeued goes on in its log.
    '--open-mode=append',
    '--chdir=/',
    ...option(
      'array',
      elements &&
        spans(elements)
          .map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
          .join(),
    ),
    ...option('dependency', after.length > 0 ? `afterok:${after.join(':')}` : undefined),
    '--kill-on-invalid-dep=yes',
    `--cpus-per-task=${cpus}`,
    ...option('partition', partition),
    ...option('time', time),
    ...option('mem', memory),
    ...option('account', account),
    ...extra,
  ];
}

function scriptOf({ command, elements }: Job): string {
  const words = command.map(quote).join(' ');
  return `#!/bin/sh\nexec ${words} ${elements === undefined ? WHOLE : '"$SLURM_ARRAY_TASK_ID"'}\n`;
}

function meaningOf(state: string, reason: string): { state: ElementState; detail: string } {
  if (reason === 'DependencyNeverSatisfied') return { state: 'skipped', detail: '' };
  switch (state) {
    case 'PENDING':
    case 'REQUEUED':
    case 'REQUEUE_FED':
    case 'REQUEUE_HOLD':
    case 'SPECIAL_EXIT':
      return { state: 'pending', detail: /^(None|Dependency)$/.test(reason) ? '' : reason };
    case 'COMPLETED':
      return { state: 'succeeded', detail: '' };
    case 'FAILED':
      return { state: 'failed', detail: reason === 'NonZeroExitCode' ? '' : `Slurm says ${reason}` };
    case 'CANCELLED':
      return { state: 'cancelled', detail: '' };
    case 'TIMEOUT':
    case 'DEADLINE':
      return { state: 'failed', detail: 'it ran out of time (--time)' };
    case 'OUT_OF_MEMORY':
      return { state: 'failed', detail: 'it ran out of memory (--mem)' };
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return { state: 'failed', detail: 'its node failed' };
    case 'PREEMPTED':
    case 'REVOKED':
      return { state: 'failed', detail: 'it had to make room for another job' };
    default: // RUNNING, COMPLETING, CONFIGURING, SUSPENDED, … and what later versions add
      return { state: 'running', detail: state === 'RUNNING' ? '' : state.toLowerCase() };
  }
}

/** Slurm does not say what is wrong with an array that is too long for it. */
function adviceFor({ elements }: Job, { stderr }: Told): string {
  if (elements === undefined || !/Invalid job array/i.test(stderr)) return '';
  return `. Its last element is ${elements.at(-1)}, and this cluster takes none from its MaxArraySize on (scontrol show config): give --shards a smaller number.`;
}

type Command = keyof typeof DROPPED;

interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * In a session of its own: Ctrl-C must not stop a command between its deed and its answer.
 *
 * @returns undefined when it took too long, and was ended
 */
async function call(command: Command, args: readonly string[], limitMs: number): Promise<Told | undefined> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !DROPPED[command].test(name)),
  );
  const child = spawn(command, args, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endGroup(child);
  }, limitMs);
  try {
    const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), code]);
    return isLate ? undefined : { code: status, stdout, stderr };
  } catch (error) {
    if (isLate) return undefined;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') {
      throw new SettingsError(
        `The ${command} on the PATH may not be executed: make it executable, or take its folder off the PATH.`,
      );
    }
    if (code !== 'ENOENT') throw error;
    throw new SettingsError(
      `There is no ${command} on the PATH: run this on a machine that submits to Slurm, such as a login node.`,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Ends a command and what it has started; nobody hears from them any more. */
function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // They have ended.
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function problemOf({ stderr, stdout }: Told): string {
  const said = stderr.trim() || stdout.trim() || 'it did not say why';
  return said.replace(/^\w+: (error: )?/gm, '');
}

function chunks(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / IDS) }, (_, i) => ids.slice(i * IDS, (i + 1) * IDS));
}
