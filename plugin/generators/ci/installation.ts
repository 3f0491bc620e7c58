/** How a package manager installs what the lock file says, and runs a command of a package. */
export interface Installation {
  readonly name: string;
  readonly install: string;
  readonly exec: string;
  /** To be run before the cache of setup-node can find it. */
  readonly enable: string | undefined;
}

export function installationOf(manager: string): Installation {
  switch (manager) {
    case 'pnpm':
      return {
        name: 'pnpm',
        install: 'pnpm install --frozen-lockfile',
        exec: 'pnpm exec',
        enable: 'corepack enable',
      };
    case 'yarn':
      return {
        name: 'yarn',
        install: 'yarn install --immutable',
        exec: 'yarn run',
        enable: 'corepack enable',
      };
    default:
      return { name: 'npm', install: 'npm ci', exec: 'npx', enable: undefined };
  }
}
