import { type DefinedFunctions, decodeDefinition } from '../runtime/definitions.ts';
import type { FunctionLoader, UserFunction } from './function-loader.ts';
import { ModuleLoader } from './node/loader.ts';

/** Finds functions that this process has defined; those of modules it loads as a worker does. */
export class InlineLoader implements FunctionLoader {
  private readonly modules: ModuleLoader;

  constructor(
    root: string,
    private readonly defined: ReadonlyMap<string, DefinedFunctions>,
  ) {
    this.modules = new ModuleLoader(root);
  }

  async function(module: string, name: string, tsconfig: string | undefined): Promise<UserFunction> {
    return (await this.find(module, name, tsconfig)) ?? this.modules.function(module, name, tsconfig);
  }

  async find(module: string, name: string, tsconfig: string | undefined): Promise<UserFunction | undefined> {
    const ref = decodeDefinition(module);
    if (ref === undefined) return this.modules.find(module, name, tsconfig);
    const functions = this.defined.get(ref.experiment)?.[ref.kind];
    if (functions === undefined) throw new Error(`Bug: ${ref.experiment} is not defined in this process`);
    return Object.hasOwn(functions, name) ? (functions[name] as UserFunction) : undefined;
  }
}
