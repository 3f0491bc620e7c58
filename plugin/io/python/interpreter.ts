import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { late } from '../../base/late.ts';
import { ReplicateError } from '../../runtime/failures.ts';

/** A Python that runs experiments. */
export interface Interpreter {
  /** Absolute path. */
  readonly executable: string;
  /** Such as `cpython 3.11.7`. */
  readonly version: string;
  /** Where it looks for installed packages, absolute. */
  readonly packages: readonly string[];
  /** Names of the modules that it brings along; empty for Python 3.9, which does not tell. */
  readonly standard: ReadonlySet<string>;
}

/** What names an interpreter, and who says so. */
interface Choice {
  /** A path, or a name for the operating system to find. */
  readonly command: string;
  readonly by: string;
}

const processes = late<typeof import('node:child_process')>('node:child_process');

const OLDEST = [3, 9] as const;
const PROBE_TIMEOUT_MS = 30_000;

const PROBE = [
  'import json, sys',
  'print(json.dumps({"executable": sys.executable, "version": list(sys.version_info[:3]), "path": sys.path[1:],',
  '"name": getattr(getattr(sys, "implementation", None), "name", "cpython"),',
  '"standard": sorted(getattr(sys, "stdlib_module_names", ()))}))',
].join('\n');

const REMEDY =
  'Install Python 3.9 or newer, or name one by execution.python in config.yaml or by the option "python" of the plugin in nx.json.';

/** The lines of a venv, by platform. */
const VENV_PYTHON = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];

/** The Pythons of one run; each is asked once what it is. */
export class Interpreters {
  private readonly probed = new Map<string, Promise<Interpreter>>();

  /** @param option the plugin's own choice, relative to the root */
  constructor(
    private readonly root: string,
    private readonly option: string | undefined,
  ) {}

  /**
   * @param folder of the experiment, relative to the root
   * @param configured its `execution.python`
   * @throws ReplicateError that says which interpreter was tried
   */
  of(folder: string, configured: string | undefined): Promise<Interpreter> {
    const choice = choosePython(this.root, folder, configured, this.option);
    const known = this.probed.get(choice.command) ?? probe(choice, this.root);
    this.probed.set(choice.command, known);
    return known;
  }
}

/** `execution.python`, else the plugin's option, else a `.venv` of the folder or of the root, else what the system calls Python. */
export function choosePython(
  root: string,
  folder: string,
  configured: string | undefined,
  option: string | undefined,
): Choice {
  const absolute = join(root, folder);
  if (configured !== undefined) {
    return { command: located(configured, root, absolute), by: `execution.python of ${folder}/config.yaml` };
  }
  if (option !== undefined) {
    return { command: located(option, root, root), by: 'the option "python" of the plugin in nx.json' };
  }
  for (const base of [absolute, root]) {
    const command = join(base, '.venv', ...VENV_PYTHON);
    if (existsSync(command))
      return { command, by: `the .venv of ${relative(root, base) || 'the workspace'}` };
  }
  return { command: process.platform === 'win32' ? 'python' : 'python3', by: 'the search path' };
}

/** What code runs with, in a line that shells leave as it is: no double quotes, dollars or percent signs. */
const TELL_ENVIRONMENT = [
  'import os,sys',
  "print(sys.version.split()[0],os.environ.get('PYTHONPATH','').replace(os.getcwd(),''))",
  "print(*sorted({n for p in sys.path if os.path.isdir(p) for n in os.listdir(p) if n.endswith('-info')}))",
].join(';');

/** A shell command that tells the version and those of all installed packages, for Nx to hash: the same in every checkout. */
export function environmentCommand(
  root: string,
  folder: string,
  configured: string | undefined,
  option: string | undefined,
): string {
  const { command } = choosePython(root, folder, configured, option);
  const shown =
    isAbsolute(command) && command.startsWith(root + sep) ? `./${relative(root, command)}` : command;
  return `${JSON.stringify(shown.split(sep).join('/'))} -c "${TELL_ENVIRONMENT}"`;
}

/** A path, when it looks like one; else a name for the operating system to find. */
function located(text: string, root: string, base: string): string {
  if (text.startsWith('{workspaceRoot}/')) return join(root, text.slice('{workspaceRoot}/'.length));
  return /[\\/]/.test(text) ? resolve(base, text) : text;
}

function probe({ command, by }: Choice, root: string): Promise<Interpreter> {
  return new Promise((resolve, reject) => {
    const unusable = (what: string): void =>
      reject(
        new ReplicateError({
          reason: 'interpreter-unusable',
          tried: `${command} (by ${by}) ${what}`,
          remedy: REMEDY,
        }),
      );
    const options = { cwd: root, timeout: PROBE_TIMEOUT_MS, windowsHide: true };
    processes().execFile(command, ['-c', PROBE], options, (error, stdout, stderr) => {
      if (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') return unusable('was not found');
        if (error.killed) return unusable(`did not answer within ${PROBE_TIMEOUT_MS / 1000} s`);
        return unusable(`does not start: ${reasonOf(stderr) || error.message}`);
      }
      const answer = parseAnswer(stdout);
      if (answer === undefined)
        return unusable(`is no Python: it answered ${JSON.stringify(stdout.slice(0, 80))}`);
      const [major = 0, minor = 0] = answer.version;
      const version = answer.version.join('.');
      if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
        return unusable(`is Python ${version}, which is too old`);
      }
      // A path may lead to a script that prepares the environment; a name is looked up only once.
      resolve({
        executable: isAbsolute(command) ? command : answer.executable,
        version: `${answer.name} ${version}`,
        packages: answer.path,
        standard: new Set(answer.standard),
      });
    });
  });
}

/** A traceback ends with it; others, such as pyenv, begin with it. */
function reasonOf(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return (lines[0]?.startsWith('Traceback') ? lines.at(-1) : lines[0]) ?? '';
}

function parseAnswer(
  text: string,
): { executable: string; version: number[]; name: string; path: string[]; standard: string[] } | undefined {
  try {
    const answer = JSON.parse(text);
    return Array.isArray(answer.version) && typeof answer.executable === 'string' ? answer : undefined;
  } catch {
    return undefined;
  }
}
