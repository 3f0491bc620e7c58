import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SettingsError } from '../base/settings-error.ts';

const execute = promisify(execFile);
const MAX_OUTPUT = 2 ** 28;

/** What Git prints, without the last end of line. @throws SettingsError with what Git says, or that there is none */
export async function git(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: MAX_OUTPUT, windowsHide: true };
    const { stdout } = await execute('git', [...args], options);
    return stdout.replace(/\n$/, '');
  } catch (error) {
    const { code, stderr = '', message } = error as Error & { code?: unknown; stderr?: string };
    if (code === 'ENOENT') throw new SettingsError('Git was not found: install it, or give a folder.');
    throw new SettingsError(`git ${args[0]}: ${stderr.trim() || message}`);
  }
}

/** The commit that a revision means; undefined when there is none. */
export function commitOf(cwd: string, revision: string): Promise<string | undefined> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  return git(cwd, args).catch(() => undefined);
}
