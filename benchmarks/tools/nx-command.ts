import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Command, cleanEnv } from './contender.ts';

/** Nx keeps its cache, its database and its socket beside the workspace: nothing is shared with another one. */
function nxEnv(root: string, daemon: boolean): NodeJS.ProcessEnv {
  return cleanEnv({
    NX_DAEMON: String(daemon),
    NX_TUI: 'false',
    NX_CACHE_DIRECTORY: `${root}.nx/cache`,
    NX_WORKSPACE_DATA_DIRECTORY: `${root}.nx/data`,
    NX_SOCKET_DIR: `${root}.nx/s`,
  });
}

export function nxCommand(root: string, args: readonly string[], daemon = false): Command {
  const nx = join(root, 'node_modules/nx/dist/bin/nx.js');
  return { command: process.execPath, args: [nx, ...args], env: nxEnv(root, daemon) };
}

export function nxFiles(plugins: readonly string[]): Record<string, string | object> {
  return {
    'package.json': { name: 'bench', version: '0.0.0', private: true, type: 'module' },
    'nx.json': { plugins, analytics: false, neverConnectToCloud: true },
    '.gitignore': 'node_modules\n.nx\nresults\n',
  };
}

export function nxStop(root: string, daemon = false): void {
  if (!daemon) return;
  const { command, args, env } = nxCommand(root, ['daemon', '--stop'], true);
  spawnSync(command, args, { cwd: root, env });
}
