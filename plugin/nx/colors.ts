/** Nx asks every process that it starts for colours; Node warns in each worker when the user asks for none. */
export function respectNoColor(env: NodeJS.ProcessEnv): void {
  if (env.NO_COLOR !== undefined) delete env.FORCE_COLOR;
}
