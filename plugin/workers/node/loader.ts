import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import type { Jiti } from 'jiti';
import { sha256 } from '../../base/digest.ts';
import { late } from '../../base/late.ts';
import { suggestion } from '../../base/names.ts';
import { packagesFor, packagesOf, sourcesOf } from '../../io/code/linked-packages.ts';
import { importsSomething } from '../../io/code/self-contained.ts';
import { customConditions } from '../../io/code/tsconfig.ts';
import { writeWhole } from '../../io/writing/write-whole.ts';
import { decodeDefinition } from '../../runtime/definitions.ts';
import { type ErrorInfo, ReplicateError } from '../../runtime/failures.ts';
import type { FunctionLoader, UserFunction } from '../function-loader.ts';
import { definitionOf } from './definitions.ts';
import { errorInfo } from './errors.ts';

/** Brings a compiler along: the process that runs a graph seldom needs it. */
const compiler = late<typeof import('jiti')>('jiti');

/** Loads the user's modules, each once, with TypeScript and the `paths` of their tsconfig. */
export class ModuleLoader implements FunctionLoader {
  private readonly loaders = new Map<string, Promise<Jiti>>();
  private readonly modules = new Map<string, Promise<Record<string, unknown>>>();

  constructor(readonly root: string) {}

  async function(file: string, name: string, tsconfig: string | undefined): Promise<UserFunction> {
    const found = await this.find(file, name, tsconfig);
    if (found !== undefined) return found;
    const module = await this.load(file, tsconfig);
    const names = Object.keys(module).filter((key) => typeof module[key] === 'function' && key !== 'default');
    const where = relative(this.root, file);
    const remedy = suggestion(name, names, `functions of ${where}`);
    throw new ReplicateError({ reason: 'function-missing', name, file: where, remedy });
  }

  async find(file: string, name: string, tsconfig: string | undefined): Promise<UserFunction | undefined> {
    const module = await this.load(file, tsconfig);
    const found = Object.hasOwn(module, name) ? module[name] : undefined;
    return typeof found === 'function' ? (found as UserFunction) : undefined;
  }

  private async load(file: string, tsconfig: string | undefined): Promise<Record<string, unknown>> {
    const ref = decodeDefinition(file);
    if (ref?.module === undefined) return this.import(file, tsconfig);
    const { experiment, kind, module } = ref;
    const defined = await Promise.race([
      definitionOf(experiment),
      this.import(module, tsconfig).then(() => undefined),
    ]);
    if (defined !== undefined) return defined[kind];
    throw new ReplicateError({
      reason: 'function-missing',
      name: `defineExperiment({ name: "${experiment}" })`,
      file: relative(this.root, module),
      remedy: 'Define it when the module is loaded, with "module: import.meta.url", or leave "module" out.',
    });
  }

  private import(file: string, tsconfig: string | undefined): Promise<Record<string, unknown>> {
    const known = this.modules.get(file);
    if (known !== undefined) return known;
    const native = requireNow(file);
    const loading = (native ?? this.compile(file, tsconfig)).catch((thrown: unknown) => {
      const error = tidy(errorInfo(thrown, this.root));
      throw new ReplicateError({ reason: 'module-threw', file: relative(this.root, file), error });
    });
    this.modules.set(file, loading);
    return loading;
  }

  private async compile(file: string, tsconfig: string | undefined): Promise<Record<string, unknown>> {
    return (await this.jiti(tsconfig, packagesFor(file, this.root))).import<Record<string, unknown>>(file);
  }

  private jiti(tsconfig: string | undefined, packages: string): Promise<Jiti> {
    const key = `${tsconfig}\0${packages}`;
    const known = this.loaders.get(key) ?? this.createJiti(tsconfig, packages);
    this.loaders.set(key, known);
    return known;
  }

  private async createJiti(tsconfig: string | undefined, packages: string): Promise<Jiti> {
    // Most modules never ask for the package itself.
    const api = await import('../../index.ts');
    const found = packagesOf(this.root, packages);
    return compiler().createJiti(`${this.root}/`, {
      interopDefault: false,
      alias: { ...sourcesOf(found, customConditions(this.root, tsconfig)) },
      // Node loads them by itself: jiti answers the second import of a CommonJS package with its bare exports, so that its
      // default import is undefined in all modules but the first.
      nativeModules: [...found.names],
      tsconfigPaths: tsconfig === undefined ? false : namedAsUsual(tsconfig, this.root),
      virtualModules: { 'nx-experiments': api },
    });
  }
}

/**
 * A module of plain JavaScript that imports nothing, loaded by Node at once: several times as fast as an `import`, which
 * reads files on other threads. Undefined: it has to be imported.
 */
function requireNow(file: string): Promise<Record<string, unknown>> | undefined {
  if (!file.endsWith('.mjs') || !process.features.require_module) return undefined;
  try {
    if (importsSomething(readFileSync(file, 'utf8'))) return undefined;
    // From below node_modules, Node does not warn that this is new.
    const require = createRequire(join(dirname(file), 'node_modules', 'nx-experiments.cjs'));
    return Promise.resolve(require(file) as Record<string, unknown>);
  } catch {
    return undefined; // imported, it says better what is wrong, and may await at its top level
  }
}

/** One line for what the compiler and the resolver tell in several. */
function tidy(error: ErrorInfo): ErrorInfo {
  const [, problem, place] = /^ParseError: (.*?)\s+(\S+:\d+:\d+)$/s.exec(error.message) ?? [];
  if (problem && place) return { name: 'SyntaxError', message: `${problem} at ${place}`, stack: '' };
  return { ...error, message: error.message.replace(/\nRequire stack:\n- (\S+).*$/s, ', imported by $1') };
}

/**
 * A file named tsconfig.json that says what this one does: jiti finds no other name, and the `paths` of an Nx workspace
 * are often in tsconfig.base.json.
 */
function namedAsUsual(tsconfig: string, root: string): string {
  if (basename(tsconfig) === 'tsconfig.json') return tsconfig;
  const text = JSON.stringify({ extends: tsconfig });
  const key = sha256(text).slice(0, 16);
  const path = join(root, 'node_modules', '.cache', 'nx-experiments', key, 'tsconfig.json');
  if (readText(path) === text) return path;
  writeWhole(path, text);
  return path;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
