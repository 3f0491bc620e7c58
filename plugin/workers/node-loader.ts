import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { createJiti, type Jiti } from 'jiti';
import { sha256 } from '../base/digest.ts';
import { suggestion } from '../base/names.ts';
import * as api from '../index.ts';
import { ReplicateError } from '../runtime/failures.ts';
import { errorInfo } from './node-errors.ts';

type UserFunction = (...args: unknown[]) => unknown;

/** Loads the user's modules, each once, with TypeScript and the `paths` of their tsconfig. */
export class ModuleLoader {
  private readonly loaders = new Map<string | undefined, Jiti>();
  private readonly modules = new Map<string, Promise<Record<string, unknown>>>();

  constructor(private readonly root: string) {}

  /** @throws ReplicateError when the module cannot be loaded or has no such function */
  async function(file: string, name: string, tsconfig: string | undefined): Promise<UserFunction> {
    const found = await this.find(file, name, tsconfig);
    if (found !== undefined) return found;
    const module = await this.load(file, tsconfig);
    const names = Object.keys(module).filter((key) => typeof module[key] === 'function' && key !== 'default');
    const where = relative(this.root, file);
    const remedy = suggestion(name, names, `functions of ${where}`);
    throw new ReplicateError({ reason: 'function-missing', name, file: where, remedy });
  }

  /** The function, or undefined when the module has none of that name. */
  async find(file: string, name: string, tsconfig: string | undefined): Promise<UserFunction | undefined> {
    const module = await this.load(file, tsconfig);
    const found = Object.hasOwn(module, name) ? module[name] : undefined;
    return typeof found === 'function' ? (found as UserFunction) : undefined;
  }

  private load(file: string, tsconfig: string | undefined): Promise<Record<string, unknown>> {
    const known = this.modules.get(file);
    if (known !== undefined) return known;
    const loading = this.jiti(tsconfig)
      .import<Record<string, unknown>>(file)
      .catch((thrown: unknown) => {
        const error = errorInfo(thrown, this.root);
        throw new ReplicateError({ reason: 'module-threw', file: relative(this.root, file), error });
      });
    this.modules.set(file, loading);
    return loading;
  }

  private jiti(tsconfig: string | undefined): Jiti {
    const known = this.loaders.get(tsconfig);
    if (known !== undefined) return known;
    const jiti = createJiti(`${this.root}/`, {
      interopDefault: false,
      nativeModules: installedPackages(this.root),
      sourceMaps: true,
      tsconfigPaths: tsconfig === undefined ? false : asTsconfigJson(this.root, tsconfig),
      virtualModules: { 'nx-experiments': api },
    });
    this.loaders.set(tsconfig, jiti);
    return jiti;
  }
}

/**
 * jiti takes a tsconfig only under the name tsconfig.json, and reads it again for each module: another one, such as
 * tsconfig.base.json, is extended by a file beside jiti's own cache.
 */
function asTsconfigJson(root: string, tsconfig: string): string {
  if (basename(tsconfig) === 'tsconfig.json') return tsconfig;
  const folder = join(root, 'node_modules/.cache/nx-experiments', sha256(tsconfig).slice(0, 16));
  const file = join(folder, 'tsconfig.json');
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, JSON.stringify({ extends: tsconfig }));
  renameSync(`${file}.${process.pid}`, file);
  return file;
}

/**
 * The packages that Node loads by itself. Without this, jiti answers the second import of a CommonJS package with its
 * bare exports, so that its default import is undefined in all modules but the first.
 */
function installedPackages(root: string): string[] {
  const folder = join(root, 'node_modules');
  return namesIn(folder).flatMap((name) =>
    name.startsWith('@') ? namesIn(join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch {
    return [];
  }
}
