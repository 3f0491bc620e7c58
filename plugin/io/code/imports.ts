import { readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { ResolverFactory } from 'oxc-resolver';
import { compareText } from '../../base/diagnostics.ts';
import { sha256 } from '../../base/digest.ts';
import { late } from '../../base/late.ts';
import type { FileStates } from '../changes/file-states.ts';
import { packagesFor, packagesOf, sourcesOf } from './linked-packages.ts';
import { importsSomething, isSelfContained } from './self-contained.ts';
import { customConditions } from './tsconfig.ts';

/** Native code: not needed for sources whose imports are known, or that import nothing. */
const parser = late<typeof import('oxc-parser')>('oxc-parser');
const resolver = late<typeof import('oxc-resolver')>('oxc-resolver');

/** Workspace code that modules reach by their imports. Paths are relative to the root, with forward slashes. */
export interface ReachableCode {
  /** Files, sorted, the entries included. */
  readonly files: readonly string[];
  /** Folders of which any file may be imported: packages of the workspace, and targets of computed imports. */
  readonly folders: readonly string[];
  /** Files of installed packages that are imported directly, sorted, as absolute paths. */
  readonly installed: readonly string[];
  /** Each import between two workspace files. */
  readonly imports: readonly { readonly from: string; readonly to: string }[];
}

/** What one source text imports. `prefix` is the constant beginning of a computed specifier. */
export interface ImportedSpecifiers {
  readonly exact: readonly string[];
  readonly prefix: readonly string[];
}

/** By which condition a package's `exports` and `imports` are chosen. */
type Importing = 'import' | 'require';

const NOTHING: ImportedSpecifiers = { exact: [], prefix: [] };
const PARSED = /\.(?:[cm]?[jt]s|[jt]sx)$/;
/** What Node does not load by itself. */
const TYPED = /\.(?:[cm]?ts|tsx)$/;
const REQUIRE = /\brequire\s*(?:\.\s*resolve\s*)?\(\s*(['"])([^'"\n]+)\1\s*\)/g;

/** One file of the workspace, read once. */
interface SourceFile extends ImportedSpecifiers {
  /** Undefined when it could not be read. */
  readonly text: string | undefined;
}

const UNREADABLE: SourceFile = { ...NOTHING, text: undefined };

/** Follows static, dynamic, re-exporting and `require` imports through the workspace. Nothing is executed. */
export class ImportScanner {
  private readonly resolvers = new Map<string, ResolverFactory>();
  private readonly resolved = new Map<string, readonly string[]>();
  private readonly sources = new Map<string, SourceFile>();
  private readonly conditions = new Map<string, readonly string[]>();
  private readonly packageSources = new Map<string, Readonly<Record<string, string>>>();
  private readonly prefix: string;

  /**
   * @param parsed specifiers by content digest; the scanner adds to it, so that it can be kept between runs
   * @param states is told of each file before it is read
   */
  constructor(
    private readonly root: string,
    private readonly parsed: Map<string, ImportedSpecifiers> = new Map(),
    private readonly states?: FileStates,
  ) {
    this.prefix = root.endsWith(sep) ? root : root + sep;
  }

  /** @param entries absolute paths of modules */
  reach(entries: readonly string[], tsconfig: string | undefined): ReachableCode {
    const files = new Set<string>();
    const folders = new Set<string>();
    const installed = new Set<string>();
    const imports: { from: string; to: string }[] = [];
    const waiting = [...entries];
    const sources = this.sourcesFor(entries[0], tsconfig);
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      const from = this.relative(file);
      if (files.has(from)) continue;
      files.add(from);
      if (!PARSED.test(file)) continue;
      const { exact, prefix } = this.source(file);
      for (const specifier of exact) {
        const source = this.sourceOf(file, specifier, tsconfig, sources);
        const targets = source === undefined ? this.targets(file, specifier, tsconfig) : [source];
        for (const target of targets) {
          if (!this.isOurs(target)) {
            installed.add(target);
            continue;
          }
          imports.push({ from, to: this.relative(target) });
          waiting.push(target);
          if (source === undefined && !specifier.startsWith('.')) {
            const owner = this.packageFolder(target, tsconfig, specifier, file);
            if (owner !== undefined) folders.add(owner);
          }
        }
      }
      for (const start of prefix) {
        const folder = join(dirname(file), start.slice(0, start.lastIndexOf('/') + 1));
        if (start.startsWith('.') && this.isOurs(folder)) folders.add(this.relative(folder));
      }
    }
    const inFolder = (file: string): boolean => [...folders].some((folder) => file.startsWith(`${folder}/`));
    return {
      files: sorted(files).filter((file) => !inFolder(file)),
      folders: sorted(folders),
      installed: sorted(installed),
      imports,
    };
  }

  /** What a file that was followed says; undefined of any other. @param file absolute path */
  textOf(file: string): string | undefined {
    return this.sources.get(file)?.text;
  }

  /** Digest of a file that was followed; undefined of any other. @param file absolute path */
  digestOf(file: string): string | undefined {
    const text = this.textOf(file);
    if (text === undefined) return undefined;
    // Other bytes than those of UTF-8 all look the same in a text.
    return sha256(text.includes('\ufffd') ? readFileSync(file) : text);
  }

  /** Whether none of this code reaches anything else. Of a folder of which any file may be imported, nobody knows. */
  isSelfContained({ files, folders }: ReachableCode): boolean {
    if (folders.length > 0) return false;
    return files.every((file) => {
      const path = join(this.root, file);
      if (!PARSED.test(path)) return path.endsWith('.json');
      const source = this.source(path);
      return source.text !== undefined && isSelfContained(source.text, source);
    });
  }

  private source(file: string): SourceFile {
    const known = this.sources.get(file) ?? this.read(file);
    this.sources.set(file, known);
    return known;
  }

  private read(file: string): SourceFile {
    let text: string;
    this.states?.note(file);
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      return UNREADABLE;
    }
    return { ...this.specifiers(file, text), text };
  }

  private specifiers(file: string, text: string): ImportedSpecifiers {
    if (!importsSomething(text)) return NOTHING;
    const key = sha256(`${file.slice(file.lastIndexOf('.'))}\0${text}`);
    const known = this.parsed.get(key);
    if (known !== undefined) return known;
    const found = specifiersOf(file, text);
    this.parsed.set(key, found);
    return found;
  }

  /** What the loader takes for packages of the workspace, and Node would not. */
  private sourcesFor(
    entry: string | undefined,
    tsconfig: string | undefined,
  ): Readonly<Record<string, string>> {
    if (entry === undefined || tsconfig === undefined) return {};
    const conditions = this.conditions.get(tsconfig) ?? customConditions(this.root, tsconfig);
    this.conditions.set(tsconfig, conditions);
    if (conditions.length === 0) return {};
    const folder = packagesFor(entry, this.root);
    const key = `${tsconfig}\0${folder}`;
    const known = this.packageSources.get(key) ?? sourcesOf(packagesOf(this.root, folder), conditions);
    this.packageSources.set(key, known);
    return known;
  }

  /** Undefined where `paths` say what the specifier means, and in code that Node loads by itself. */
  private sourceOf(
    from: string,
    specifier: string,
    tsconfig: string | undefined,
    sources: Readonly<Record<string, string>>,
  ): string | undefined {
    if (!Object.hasOwn(sources, specifier) || !TYPED.test(from)) return undefined;
    const [mapped] = this.targets(from, specifier, tsconfig);
    const [installed] = this.targets(from, specifier, undefined);
    return mapped === installed ? sources[specifier] : undefined;
  }

  /** The files behind a specifier: a package may have another one for `require`. None for built-ins and what does not resolve. */
  private targets(from: string, specifier: string, tsconfig: string | undefined): readonly string[] {
    const folder = dirname(from);
    const key = `${tsconfig}\0${folder}\0${specifier}`;
    const known = this.resolved.get(key);
    if (known !== undefined) return known;
    const find = (how: Importing): string | undefined =>
      this.resolver(tsconfig, how).sync(folder, specifier).path?.replace(/\?.*$/, '');
    const imported = find('import');
    // Of an installed package the version counts, whichever file it is.
    const isSettled = specifier.startsWith('.') || (imported !== undefined && !this.isOurs(imported));
    const required = isSettled ? undefined : find('require');
    const targets = [...new Set([imported, required])].filter((path) => path !== undefined);
    this.resolved.set(key, targets);
    return targets;
  }

  private resolver(tsconfig: string | undefined, how: Importing = 'import'): ResolverFactory {
    const key = `${how} ${tsconfig}`;
    const known = this.resolvers.get(key);
    if (known !== undefined) return known;
    const created = new (resolver().ResolverFactory)({
      ...(tsconfig === undefined ? {} : { tsconfig: { configFile: tsconfig } }),
      // In the order of what loads them: of two files with one name, the same one has to be found.
      extensions: ['.js', '.mjs', '.cjs', '.ts', '.tsx', '.mts', '.cts', '.jsx', '.json'],
      extensionAlias: { '.js': ['.js', '.ts', '.tsx'], '.mjs': ['.mjs', '.mts'], '.cjs': ['.cjs', '.cts'] },
      conditionNames: ['node', how, 'default'],
    });
    this.resolvers.set(key, created);
    return created;
  }

  /**
   * The package of the workspace that a bare specifier leads to: its entry may be built code that Nx does not see, so
   * that all of its sources count. A `paths` alias leads to a source file, which is followed by itself.
   */
  private packageFolder(
    target: string,
    tsconfig: string | undefined,
    specifier: string,
    from: string,
  ): string | undefined {
    if (tsconfig !== undefined && this.targets(from, specifier, undefined).length === 0) return undefined;
    for (let at = dirname(target); at !== this.root && at.startsWith(this.root); at = dirname(at)) {
      if (statSync(join(at, 'package.json'), { throwIfNoEntry: false })) return this.relative(at);
    }
    return undefined;
  }

  /** Whether a file is a source of the workspace, not one of an installed package. */
  private isOurs(path: string): boolean {
    return path.startsWith(this.prefix) && !path.split(sep).includes('node_modules');
  }

  private relative(path: string): string {
    // Most paths are as they should be, and need no second look.
    const plain = path.startsWith(this.prefix) && !path.includes('..') && !path.endsWith(sep);
    const place = plain ? path.slice(this.prefix.length) : relative(this.root, path);
    return sep === '/' ? place : place.split(sep).join('/');
  }
}

function specifiersOf(file: string, text: string): ImportedSpecifiers {
  const { module } = parser().parseSync(file, text);
  const exact = new Set<string>();
  const prefix = new Set<string>();
  for (const { moduleRequest } of module.staticImports) exact.add(moduleRequest.value);
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest } of entries) if (moduleRequest) exact.add(moduleRequest.value);
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const source = text.slice(moduleRequest.start, moduleRequest.end).trim();
    const literal = /^(['"`])([^'"`$\n]*)\1$/.exec(source);
    if (literal) exact.add(literal[2] ?? '');
    else prefix.add(/^[`'"]([^$'"`]*)/.exec(source)?.[1] ?? './');
  }
  for (const [, , specifier] of text.matchAll(REQUIRE)) if (specifier) exact.add(specifier);
  return { exact: sorted(exact), prefix: sorted(prefix) };
}

function sorted(items: Iterable<string>): string[] {
  return [...items].sort(compareText);
}
