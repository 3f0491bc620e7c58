import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Command, cleanEnv } from './contender.ts';

/** Ways to run Nx that are not its usual one where no daemon runs: an own process for each plugin, started for each command. */
export type NxMode = 'daemon on' | 'plugins in its process';

/** Nx keeps its cache, its database and its socket beside the workspace: nothing is shared with another one. */
function nxEnv(root: string, mode: NxMode | undefined): NodeJS.ProcessEnv {
  return cleanEnv({
    NX_DAEMON: String(mode === 'daemon on'),
    NX_TUI: 'false',
    NX_CACHE_DIRECTORY: `${root}.nx/cache`,
    NX_WORKSPACE_DATA_DIRECTORY: `${root}.nx/data`,
    NX_SOCKET_DIR: `${root}.nx/s`,
    ...(mode === 'plugins in its process' ? { NX_ISOLATE_PLUGINS: 'false' } : {}),
  });
}

export function nxCommand(root: string, args: readonly string[], mode?: NxMode): Command {
  const nx = join(root, 'node_modules/nx/dist/bin/nx.js');
  return { command: process.execPath, args: [nx, ...args], env: nxEnv(root, mode) };
}

export function nxFiles(plugins: readonly string[]): Record<string, string | object> {
  return {
    'package.json': { name: 'bench', version: '0.0.0', private: true, type: 'module' },
    'nx.json': { plugins, analytics: false, neverConnectToCloud: true },
    '.gitignore': 'node_modules\n.nx\nresults\n',
  };
}

export function nxStop(root: string, mode?: NxMode): void {
  if (mode !== 'daemon on') return;
  const { command, args, env } = nxCommand(root, ['daemon', '--stop'], mode);
  spawnSync(command, args, { cwd: root, env });
}
