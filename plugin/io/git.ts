import { promisify } from 'node:util';
import { late } from '../base/late.ts';
import { SettingsError } from '../base/settings-error.ts';
import { nearestWith } from './code/nearest.ts';

const processes = late<typeof import('node:child_process')>('node:child_process');
const MAX_OUTPUT = 2 ** 28;

interface GitOptions {
  /** Beside the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What Git reads. */
  readonly input?: string;
  /** In milliseconds. Default: as long as it takes. */
  readonly timeout?: number;
}

/** What Git prints, without the last end of line. @throws SettingsError with what Git says, or that there is none */
export async function git(
  cwd: string,
  args: readonly string[],
  { env = {}, input = '', timeout }: GitOptions = {},
): Promise<string> {
  try {
    const options = {
      cwd,
      env: { ...process.env, ...env },
      maxBuffer: MAX_OUTPUT,
      windowsHide: true,
      ...(timeout === undefined ? {} : { timeout }),
    };
    const running = promisify(processes().execFile)('git', [...args], options);
    running.child.stdin?.on('error', () => {}).end(input); // that it does not read all of it is told by its exit
    const { stdout } = await running;
    return stdout.replace(/\n$/, '');
  } catch (error) {
    const { code, stderr = '', message } = error as Error & { code?: unknown; stderr?: string };
    if (code === 'ENOENT') throw new SettingsError('Git was not found: install it, or give a folder.');
    throw new SettingsError(`git ${args[0]}: ${stderr.trim() || message}`);
  }
}

/** Whether Git may know a folder: starting it takes longer than looking for its own folder. */
export function mayBeInRepository(folder: string): boolean {
  return process.env.GIT_DIR !== undefined || nearestWith('.git', folder) !== undefined;
}

/** The commit that a revision means; undefined when there is none. */
export function commitOf(cwd: string, revision: string): Promise<string | undefined> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  return git(cwd, args).catch(() => undefined);
}
