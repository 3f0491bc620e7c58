/** A function of an experiment, whatever it is. */
export type DefinedFunction = (...args: never[]) => unknown;

/** The functions that an experiment was defined with, in place of the exports of its modules. */
export interface DefinedFunctions {
  readonly datasources: Readonly<Record<string, DefinedFunction>>;
  readonly steps: Readonly<Record<string, DefinedFunction>>;
  readonly outputs: Readonly<Record<string, DefinedFunction>>;
  readonly verifiers: Readonly<Record<string, DefinedFunction>>;
}

export type DefinedKind = keyof DefinedFunctions;

/** Names the functions of one kind where a job has the path of a module. */
export interface DefinitionRef {
  readonly experiment: string;
  readonly kind: DefinedKind;
  /** Absolute path of the module that defines the experiment; undefined: this process has done so. */
  readonly module: string | undefined;
}

const REF = /^defined:([^/]+)\/(datasources|steps|outputs|verifiers)@(.*)$/s;

export function encodeDefinition({ experiment, kind, module = '' }: DefinitionRef): string {
  return `defined:${experiment}/${kind}@${module}`;
}

/** Undefined for the path of a module. */
export function decodeDefinition(text: string): DefinitionRef | undefined {
  const [, experiment, kind, module] = REF.exec(text) ?? [];
  if (experiment === undefined || kind === undefined) return undefined;
  return { experiment, kind: kind as DefinedKind, module: module || undefined };
}

const LISTENER = Symbol.for('nx-experiments.defined');

type Listener = (experiment: string, functions: DefinedFunctions) => void;
type Host = { [LISTENER]?: Listener };

/** In a worker: hears of the experiments that the modules which it loads define. */
export function onDefinition(listener: Listener): void {
  (globalThis as Host)[LISTENER] = listener;
}

export function tellDefinition(experiment: string, functions: DefinedFunctions): void {
  (globalThis as Host)[LISTENER]?.(experiment, functions);
}

/** Whether this process is a worker: it loads a module for what that defines, and must not run it in turn. */
export function onlyDefines(): boolean {
  return (globalThis as Host)[LISTENER] !== undefined;
}
