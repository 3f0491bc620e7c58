import { detectPackageManager, type Tree } from '@nx/devkit';

/** How a package manager installs what the lock file says, and runs a command of a package. */
export interface Installation {
  readonly install: string;
  readonly exec: string;
  /** What setup-node is to keep between runs; undefined: it cannot. */
  readonly cache: string | undefined;
  /** Makes the package manager available, before the cache of setup-node can find it. */
  readonly enable: string | undefined;
  /** An action of GitHub that does so. */
  readonly action?: string;
}

/** That of the package manager which a workspace uses. */
export function installationIn(tree: Tree): Installation {
  const manager = detectPackageManager(tree.root);
  const isClassic = (tree.read('yarn.lock', 'utf8') ?? '').includes('# yarn lockfile v1');
  return installationOf(manager === 'yarn' && isClassic ? 'yarn 1' : manager);
}

export function installationOf(manager: string): Installation {
  switch (manager) {
    case 'pnpm':
      return {
        install: 'pnpm install --frozen-lockfile',
        exec: 'pnpm exec',
        cache: 'pnpm',
        enable: 'corepack enable',
      };
    case 'yarn':
      return {
        install: 'yarn install --immutable',
        exec: 'yarn run',
        cache: 'yarn',
        enable: 'corepack enable',
      };
    // It ignores options that it does not know, and prints what it runs among what that prints.
    case 'yarn 1':
      return {
        install: 'yarn install --frozen-lockfile',
        exec: 'yarn --silent run',
        cache: 'yarn',
        enable: 'corepack enable',
      };
    case 'bun':
      return {
        install: 'bun install --frozen-lockfile',
        exec: 'bunx',
        cache: undefined,
        enable: 'npm install --global bun',
        action: 'oven-sh/setup-bun@v2',
      };
    default:
      return { install: 'npm ci', exec: 'npx', cache: 'npm', enable: undefined };
  }
}
