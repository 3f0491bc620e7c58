/** What steps print goes through a pipe and into a log: Nx's wish for colours is not meant for it. */
export function withoutColors({ NO_COLOR: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, FORCE_COLOR: '0' };
}
