import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const execute = promisify(execFile);

/** What one call of nx came to. */
export interface NxResult {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams in the order in which they were written, without colours. */
  readonly output: string;
  /** Tasks that were executed, whether they succeeded or not; sorted. */
  readonly ran: readonly string[];
  /** Tasks whose results came from the cache; sorted. */
  readonly cached: readonly string[];
  /** Those of them that came from a remote one. */
  readonly remote: readonly string[];
  /** What Nx computed for each task. */
  readonly hashes: Readonly<Record<string, string>>;
}

export interface WorkspaceOptions {
  /** Options of the plugin in nx.json. */
  readonly plugin?: object;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningNx {
  readonly child: ChildProcess;
  readonly finished: Promise<NxResult>;
  /** Resolves when the text has been printed. */
  printed(text: string): Promise<void>;
  /** What a terminal does at Ctrl-C: every process of the group gets the signal. */
  interrupt(signal?: NodeJS.Signals): void;
}

/** A real Nx workspace in a temporary folder, with our plugin, a Git repository, and a cache of its own. */
export async function workspace(
  files: Readonly<Record<string, string>>,
  options: WorkspaceOptions = {},
): Promise<Workspace> {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'nx-experiments-')));
  const created = new Workspace(top, options.env ?? {});
  const plugin = options.plugin ? { plugin: 'nx-experiments', options: options.plugin } : 'nx-experiments';
  await created.write(
    'package.json',
    json({ name: 'fixture', version: '0.0.0', private: true, type: 'module' }),
  );
  await created.write('nx.json', json({ plugins: [plugin], analytics: false, neverConnectToCloud: true }));
  await created.write('.gitignore', 'node_modules\n.nx\nresults\n');
  for (const [path, text] of Object.entries(files)) await created.write(path, text);
  await created.linkPackages();
  await created.git('init', '--quiet', '--initial-branch=main');
  await created.commit();
  return created;
}

export class Workspace implements AsyncDisposable {
  readonly root: string;
  private daemon = false;
  private readonly running = new Set<RunningNx>();

  constructor(
    private readonly top: string,
    private readonly extraEnv: Readonly<Record<string, string>>,
    /** The host name that nx sees; undefined: that of this machine. */
    private readonly host?: string,
  ) {
    this.root = join(top, 'workspace');
  }

  /** A clone of the last commit on another machine, as far as nx can tell: folders, home, caches and run store of its own. */
  async clone(host: string, env: Readonly<Record<string, string>> = {}): Promise<Workspace> {
    const top = await realpath(await mkdtemp(join(tmpdir(), `${host}-`)));
    const home = join(top, 'home');
    await mkdir(home);
    const own = { ...this.extraEnv, HOME: home, USER: host, HOSTNAME: host, ...env };
    const cloned = new Workspace(top, own, host);
    await execute('git', ['clone', '--quiet', this.root, cloned.root]);
    await cloned.linkPackages();
    return cloned;
  }

  /** A file beside the workspace: what is written there is nobody's input. */
  outside(name: string): string {
    return join(this.top, name);
  }

  /** Runs nx to its end. */
  async nx(args: string, env: Readonly<Record<string, string>> = {}): Promise<NxResult> {
    return await (await this.start(args, env)).finished;
  }

  /** Starts nx in a process group of its own. */
  async start(args: string, env: Readonly<Record<string, string>> = {}): Promise<RunningNx> {
    const lastRun = join(this.cache, 'run.json');
    await rm(lastRun, { force: true });
    const [command = '', ...rest] = [
      ...namedHost(this.host),
      process.execPath,
      join(this.root, 'node_modules/nx/dist/bin/nx.js'),
      ...args.split(' '),
    ];
    const child = spawn(command, rest, {
      cwd: this.root,
      env: this.env(env),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const text = { stdout: '', stderr: '', output: '' };
    const listeners = new Set<() => void>();
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('data', (chunk: Buffer) => {
        text[name] += chunk.toString('utf8');
        text.output += chunk.toString('utf8');
        for (const listener of listeners) listener();
      });
    }
    const finished = new Promise<number | undefined>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? undefined));
    }).then(async (code) => {
      this.running.delete(run);
      for (const listener of listeners) listener();
      const tasks = existsSync(lastRun) ? JSON.parse(await readFile(lastRun, 'utf8')).tasks : [];
      return { code, ...text, ...statuses(tasks) };
    });
    const run: RunningNx = {
      child,
      finished,
      printed: (expected) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if (text.output.includes(expected)) resolve();
            else if (child.exitCode !== null)
              reject(new Error(`nx ended without "${expected}":\n${text.output}`));
          };
          listeners.add(look);
          look();
        }),
      interrupt: (signal = 'SIGINT') => {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      },
    };
    this.running.add(run);
    return run;
  }

  /** Runs a line as a person types it, in a shell. */
  async shell(line: string): Promise<{ readonly code: number; readonly output: string }> {
    const env = this.env({ npm_config_yes: 'false' });
    try {
      const { stdout, stderr } = await execute('bash', ['-c', line], { cwd: this.root, env });
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, output: stdout + stderr };
    }
  }

  async write(path: string, text: string): Promise<void> {
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  async read(path: string): Promise<string> {
    return await readFile(join(this.root, path), 'utf8');
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.root, path), { recursive: true });
  }

  /** Replaces one passage of a file. */
  async edit(path: string, from: string, to: string): Promise<void> {
    const text = await this.read(path);
    if (!text.includes(from)) throw new Error(`${path} does not contain "${from}"`);
    await this.write(
      path,
      text.replace(from, () => to),
    );
  }

  /** Contents of all files under a folder, by path relative to it. */
  async contents(folder: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const entries = await readdir(join(this.root, folder), { withFileTypes: true, recursive: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) {
      found[file.slice(join(this.root, folder).length + 1)] = await readFile(file, 'utf8');
    }
    return found;
  }

  async git(...args: string[]): Promise<string> {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'core.fsync=none'];
    return (await execute('git', [...identity, ...args], { cwd: this.root })).stdout;
  }

  async commit(message = 'A change'): Promise<void> {
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--allow-empty', '--message', message);
  }

  /** Installs a package of the workspace, as `npm install` does. */
  async link(folder: string, name: string): Promise<void> {
    const link = join(this.root, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(this.root, folder), link);
  }

  /** Our repository's packages, one by one, so that a test can add others. */
  async linkPackages(): Promise<void> {
    const from = join(REPOSITORY, 'node_modules');
    const to = join(this.root, 'node_modules');
    await mkdir(to, { recursive: true });
    const names = (await readdir(from)).filter((name) => name !== 'nx-experiments' && name !== '.cache');
    await Promise.all(names.map((name) => symlink(join(from, name), join(to, name))));
    await symlink(join(REPOSITORY, 'plugin'), join(to, 'nx-experiments'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.running) {
      run.interrupt('SIGKILL');
      await run.finished;
    }
    if (this.daemon) await this.nx('daemon --stop');
    await rm(this.top, { recursive: true, force: true, maxRetries: 5 });
  }

  private get cache(): string {
    return join(this.top, 'cache');
  }

  private env(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(NX_|CI$|GITHUB_|GIT_|VITEST|NODE_OPTIONS|FORCE_COLOR|INIT_CWD)/.test(name),
    );
    const env = {
      ...Object.fromEntries(inherited),
      NX_DAEMON: 'false',
      NX_TUI: 'false',
      // A process less in each call; the tests of the main flow and of the daemon have it as users do.
      NX_ISOLATE_PLUGINS: 'false',
      NO_COLOR: '1',
      NX_CACHE_DIRECTORY: this.cache,
      NX_WORKSPACE_DATA_DIRECTORY: join(this.top, 'data'),
      NX_SOCKET_DIR: join(this.top, 's'),
      ...this.extraEnv,
      ...extra,
    };
    if (env.NX_DAEMON === 'true') this.daemon = true;
    return env;
  }
}

/** What nx shows on its standard output for one task, without the blank lines around it. */
export function block(stdout: string, task: string): string {
  const after = stdout.split(`> nx run ${task}\n`).at(-1) ?? '';
  return (after.split(/\n(?:> nx run | NX {3}| {2}Run duration)/)[0] ?? '').trim();
}

/** Tasks that were not in the cache: those that ran, and those that a failure before them kept from it; sorted. */
export function missed({ ran, output }: NxResult): string[] {
  const [, listed = ''] = /Tasks not run because [^\n]*\n\n((?:- .*\n)*)/.exec(output) ?? [];
  return [...ran, ...Array.from(listed.matchAll(/^- (.*)$/gm), ([, task = '']) => task)].sort();
}

interface RecordedTask {
  readonly taskId: string;
  readonly cacheStatus: string;
  readonly hash: string;
}

function statuses(tasks: readonly RecordedTask[]): Pick<NxResult, 'ran' | 'cached' | 'remote' | 'hashes'> {
  const ids = (hit: boolean) =>
    tasks
      .filter((task) => (task.cacheStatus !== 'cache-miss') === hit)
      .map((task) => task.taskId)
      .sort();
  const remote = tasks.filter((task) => task.cacheStatus === 'remote-cache-hit').map((task) => task.taskId);
  return {
    ran: ids(false),
    cached: ids(true),
    remote: remote.sort(),
    hashes: Object.fromEntries(tasks.map((task) => [task.taskId, task.hash])),
  };
}

/** What has to stand before a command that sees another host name; nothing where this machine does not allow it. */
function namedHost(host: string | undefined): string[] {
  if (host === undefined || !canNameHost()) return [];
  return ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', host];
}

export function canNameHost(): boolean {
  return spawnSync('unshare', ['--uts', 'hostname', 'x']).status === 0;
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
