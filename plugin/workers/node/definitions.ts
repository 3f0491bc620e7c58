import { type DefinedFunctions, onDefinition } from '../../runtime/definitions.ts';

const known = new Map<string, DefinedFunctions>();
const waiting = new Map<string, ((functions: DefinedFunctions) => void)[]>();

/** Keeps what the modules of this worker define. */
export function collectDefinitions(): void {
  onDefinition((experiment, functions) => {
    known.set(experiment, functions);
    for (const resolve of waiting.get(experiment) ?? []) resolve(functions);
    waiting.delete(experiment);
  });
}

/** The functions of an experiment as soon as a module has defined it: the rest of that module may never end. */
export function definitionOf(experiment: string): Promise<DefinedFunctions> {
  const functions = known.get(experiment);
  if (functions !== undefined) return Promise.resolve(functions);
  return new Promise((resolve) => waiting.set(experiment, [...(waiting.get(experiment) ?? []), resolve]));
}
