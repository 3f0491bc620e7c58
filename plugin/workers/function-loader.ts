export type UserFunction = (...args: unknown[]) => unknown;

/** Finds the functions that a job names. */
export interface FunctionLoader {
  /** @throws ReplicateError when the module cannot be loaded or has no such function */
  function(module: string, name: string, tsconfig: string | undefined): Promise<UserFunction>;
  /** The function, or undefined when the module has none of that name. */
  find(module: string, name: string, tsconfig: string | undefined): Promise<UserFunction | undefined>;
}
