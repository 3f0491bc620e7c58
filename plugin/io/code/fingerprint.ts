import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { compareText } from '../../base/diagnostics.ts';
import { type FileDigests, sha256 } from '../../base/digest.ts';
import { late } from '../../base/late.ts';
import { VERSION } from '../../base/version.ts';
import type { Definition } from '../../config/config.ts';
import { floatsOf, type PlannedCondition } from '../../runtime/plan.ts';
import type { KeyComponents, SourceComponent } from '../../store/components.ts';
import { inputGlobs } from '../changes/declared-inputs.ts';
import { FileStates } from '../changes/file-states.ts';
import { GlobWatch } from '../changes/glob-watch.ts';
import { digestFile, digestRead } from '../digest-file.ts';
import { PythonImportScanner } from '../python/imports.ts';
import type { Interpreters } from '../python/interpreter.ts';
import { PythonPackages } from '../python/packages.ts';
import { variablesIn } from './environment-reads.ts';
import { ImportScanner } from './imports.ts';
import { type Language, languageOf, ModuleFinder, runsIn } from './modules.ts';
import { InstalledPackages } from './packages.ts';

const INSTALLED = '**/node_modules/**';
const SOURCE = /\.(?:[cm]?[jt]s|[jt]sx|py)$/;

const fastGlob = late<typeof import('fast-glob')>('fast-glob');

type ArtifactSource = Extract<PlannedCondition['sources'][number], { type: 'artifact' }>;

interface Code {
  readonly files: FileDigests;
  readonly packages: Readonly<Record<string, string>>;
  /** Those of which any file may be imported. */
  readonly folders: readonly GlobWatch[];
  readonly selfContained: boolean;
}

/** Finds what conditions depend on. One instance for one run: it reads each file once. */
export class Fingerprints {
  /** Modules and tsconfig files of the workspace. */
  readonly finder: ModuleFinder;
  private readonly scanner: ImportScanner;
  private readonly packages: InstalledPackages;
  private readonly states = new FileStates();
  private readonly codes = new Map<string, Promise<Code>>();
  private readonly digests = new Map<string, Promise<string>>();
  private readonly reads = new Map<string, Promise<string>>();
  private readonly globs = new Map<string, Promise<GlobWatch>>();
  private readonly variables = new Map<string, readonly string[]>();

  private readonly python: PythonImportScanner;
  private readonly pythonPackages = new PythonPackages();

  /** @param installedAt the root whose installed packages are used: of another checkout, when they are lent */
  constructor(
    private readonly root: string,
    private readonly interpreters: Interpreters,
    installedAt = root,
  ) {
    this.finder = new ModuleFinder(root);
    this.python = new PythonImportScanner(root, this.states);
    this.scanner = new ImportScanner(root, new Map(), this.states);
    this.packages = new InstalledPackages(installedAt);
  }

  /** @throws when a file that it depends on cannot be read */
  async components(planned: PlannedCondition): Promise<KeyComponents> {
    const [own, ...loaders] = await this.codesOf(planned);
    const floats = floatsOf(planned);
    return {
      engine: VERSION,
      interpreter: await this.interpreter(planned),
      experiment: planned.experiment,
      condition: planned.condition,
      folder: planned.folder,
      context: planned.context,
      ...(this.languageOf(planned) === 'python' && floats.length > 0 ? { floats } : {}),
      steps: planned.steps.map(({ name, args }) => ({ name, args })),
      sources: planned.sources.map((source) => this.sourceComponent(planned, source)),
      bareSource: planned.bareSource,
      outputs: planned.outputs.map(({ alias, fileName, writer }) => ({
        alias,
        fileName,
        writer: writer ?? null,
      })),
      code: own.files,
      loaders: Object.assign({}, ...loaders.map((code) => code.files)),
      packages: Object.assign({}, own.packages, ...loaders.map((code) => code.packages)),
      files: await this.inputFiles(planned),
      env: this.variablesOfKey(planned),
    };
  }

  /**
   * Whether the code that replicates run can reach nothing that belongs to the process: files, its working directory, other
   * packages. What is told by names alone is taken at its worst.
   */
  async isSelfContained(planned: PlannedCondition): Promise<boolean> {
    if (planned.definition !== undefined || this.languageOf(planned) !== 'node') return false;
    return (await this.codesOf(planned)).every(({ selfContained }) => selfContained);
  }

  /** That of the condition itself, and that of the loaders of what it reads. */
  private async codesOf(planned: PlannedCondition): Promise<[Code, ...Code[]]> {
    const { folder, definition, sources } = planned;
    const own = await this.code(planned, folder, definition, ['datasources', 'steps', 'outputs']);
    const loaders: Code[] = [];
    for (const source of sources) {
      if (source.type !== 'artifact' || source.output.loader === undefined) continue;
      if (this.isForeign(planned, source)) continue;
      loaders.push(await this.code(planned, source.upstreamFolder, source.upstreamDefinition, ['outputs']));
    }
    return [own, ...loaders];
  }

  /** Digest of a file's content; read once. */
  digest(path: string): Promise<string> {
    const known = this.digests.get(path) ?? this.readDigest(path);
    this.digests.set(path, known);
    return known;
  }

  private async readDigest(path: string): Promise<string> {
    this.states.note(path);
    return this.scanner.digestOf(path) ?? digestFile(path);
  }

  /** What `digestRead` says of a path relative to the root. */
  digestOfRead(path: string): Promise<string> {
    const known = this.reads.get(path) ?? digestRead(join(this.root, path));
    this.reads.set(path, known);
    return known;
  }

  /**
   * @returns which files of a key were written to since their digests were taken, and which would be in it by now. Paths
   * relative to the root
   */
  async watch(planned: PlannedCondition, { code, loaders, files }: KeyComponents): Promise<() => string[]> {
    const paths = [code, loaders, files].flatMap((digests) => Object.keys(digests));
    const places = paths.map((path) => join(this.root, path));
    const folders = (await this.codesOf(planned)).flatMap((reached) => reached.folders);
    const globs = [...folders, ...(await this.inputGlobs(planned.inputs))];
    return () => [
      ...paths.filter((_, i) => this.states.hasChanged(places[i] as string)),
      ...globs.flatMap((glob) => glob.news()),
    ];
  }

  /** Reads now what belongs to a condition that runs later: `watch` then tells what was written to in between as well. */
  async begin(planned: PlannedCondition): Promise<void> {
    await Promise.all([this.codesOf(planned), this.inputFiles(planned)]);
  }

  private languageOf({ folder, definition }: Pick<PlannedCondition, 'folder' | 'definition'>): Language {
    return definition === undefined ? runsIn(this.finder.modulesIn(join(this.root, folder))) : 'node';
  }

  /** Whether the producer's loader is written in another language: then it is not what reads the artifact. */
  private isForeign(
    planned: PlannedCondition,
    { upstreamFolder, upstreamDefinition }: ArtifactSource,
  ): boolean {
    if (upstreamDefinition !== undefined) return this.languageOf(planned) !== 'node';
    const { outputs } = this.finder.modulesIn(join(this.root, upstreamFolder));
    return outputs !== undefined && languageOf(outputs) !== this.languageOf(planned);
  }

  private async interpreter(planned: PlannedCondition): Promise<string> {
    if (this.languageOf(planned) === 'node') return `node ${process.versions.node.split('.')[0]}`;
    return (await this.interpreters.of(planned.folder, planned.execution.python)).version;
  }

  private variablesOfKey(planned: PlannedCondition): Record<string, string | null> {
    const declared = planned.inputs.flatMap((input) => (input.type === 'env' ? [input.name] : []));
    const found = Object.fromEntries(declared.map((name) => [name, digestOf(process.env[name])]));
    // It says where imports look; the same in every checkout.
    const path = process.env.PYTHONPATH?.replaceAll(this.root, '');
    if (!path || this.languageOf(planned) === 'node') return found;
    return { PYTHONPATH: digestOf(path), ...found };
  }

  private sourceComponent(
    planned: PlannedCondition,
    source: PlannedCondition['sources'][number],
  ): SourceComponent {
    if (source.type === 'function') return { alias: source.alias, function: source.name, args: source.args };
    const { alias, experiment, output } = source;
    return {
      alias,
      reference: `${experiment}#${output.alias}`,
      fileName: output.fileName,
      loader: output.loader ?? null,
      ...(output.loader !== undefined && this.isForeign(planned, source) ? { foreign: true as const } : {}),
    };
  }

  private code(
    planned: PlannedCondition,
    folder: string,
    definition: Definition | undefined,
    kinds: readonly ('datasources' | 'steps' | 'outputs')[],
  ): Promise<Code> {
    // Packages are those of the Python that runs the code.
    const runner = this.languageOf(planned) === 'python' ? planned.folder : '';
    const key = `${folder}\0${definition?.module ?? kinds.join()}\0${runner}`;
    const known = this.codes.get(key) ?? this.readCode(planned, folder, definition, kinds);
    this.codes.set(key, known);
    return known;
  }

  private async readCode(
    planned: PlannedCondition,
    folder: string,
    definition: Definition | undefined,
    kinds: readonly ('datasources' | 'steps' | 'outputs')[],
  ): Promise<Code> {
    const absolute = join(this.root, folder);
    const modules = this.finder.modulesIn(absolute);
    if (definition === undefined && runsIn(modules) === 'python') {
      const entries = kinds.flatMap((kind) => modules[kind] ?? []);
      return this.readPython(planned, absolute, entries);
    }
    const tsconfig = this.finder.tsconfigOf(absolute);
    const written = definition === undefined ? kinds.map((kind) => modules[kind]) : [definition.module];
    const entries = written.filter((path) => path !== undefined);
    const reached = this.scanner.reach(this.finder.withTargets(entries), tsconfig);
    const inFolders = await Promise.all(reached.folders.map((path) => this.codeBelow(path)));
    const below = inFolders.flatMap(({ files }) => files);
    const paths = [...reached.files, ...below, ...this.finder.tsconfigFiles(absolute)];
    return {
      files: await this.fileDigests(paths),
      packages: this.packages.versions(reached.installed),
      folders: inFolders,
      selfContained: definition === undefined && this.scanner.isSelfContained(reached),
    };
  }

  /** @param planned whose interpreter runs it, also for the loaders of another experiment */
  private async readPython(
    planned: PlannedCondition,
    folder: string,
    entries: readonly string[],
  ): Promise<Code> {
    const { packages: places, standard } = await this.interpreters.of(
      planned.folder,
      planned.execution.python,
    );
    const { files, packages } = this.python.reach(entries, folder, places);
    return {
      files: await this.fileDigests([...files, ...this.python.lockFiles(folder)]),
      packages: this.pythonPackages.versions(
        places,
        packages.filter((name) => !standard.has(name)),
      ),
      folders: [],
      selfContained: false,
    };
  }

  private async inputFiles({ inputs }: PlannedCondition): Promise<FileDigests> {
    return this.fileDigests((await this.inputGlobs(inputs)).flatMap(({ files }) => files));
  }

  private inputGlobs(inputs: PlannedCondition['inputs']): Promise<GlobWatch[]> {
    const globs = inputs.flatMap((input) => (input.type === 'files' ? inputGlobs(input.glob) : []));
    return Promise.all(globs.map((glob) => this.glob(glob)));
  }

  /** Declared files and patterns to which there is no file. */
  async inputsWithoutFiles({ inputs }: PlannedCondition): Promise<string[]> {
    const missing = async (input: PlannedCondition['inputs'][number]): Promise<string[]> => {
      if (input.type !== 'files') return [];
      const found = await this.inputGlobs([input]);
      return found.every(({ files }) => files.length === 0) ? [input.glob] : [];
    };
    return (await Promise.all(inputs.map(missing))).flat();
  }

  /** Environment variables that its code reads by their names and that are not declared, each with a file that does. */
  async undeclaredVariables(planned: PlannedCondition): Promise<ReadonlyMap<string, string>> {
    const declared = new Set(planned.inputs.map((input) => (input.type === 'env' ? input.name : '')));
    const read = new Map<string, string>();
    for (const { files } of await this.codesOf(planned)) {
      for (const file of Object.keys(files).filter((path) => SOURCE.test(path))) {
        for (const name of this.variablesOf(file))
          if (!declared.has(name) && !read.has(name)) read.set(name, file);
      }
    }
    return read;
  }

  private variablesOf(file: string): readonly string[] {
    const known = this.variables.get(file) ?? variablesIn(this.textOf(join(this.root, file)));
    this.variables.set(file, known);
    return known;
  }

  private textOf(path: string): string {
    return this.scanner.textOf(path) ?? readFileSync(path, 'utf8');
  }

  /** All files of a folder of which any file may be imported. */
  private async codeBelow(folder: string): Promise<GlobWatch> {
    const within = fastGlob().escapePath(folder);
    // Results lie beside a config file; another folder of that name may hold code.
    const configs = await this.glob(`${within}/**/config.{yaml,yml}`, [INSTALLED, '**/results/**']);
    const results = configs.files.map((file) => `${fastGlob().escapePath(posix.dirname(file))}/results/**`);
    return this.glob(`${within}/**/*`, [INSTALLED, ...results]);
  }

  private glob(pattern: string, ignore: string[] = []): Promise<GlobWatch> {
    const known = this.globs.get(pattern) ?? GlobWatch.begin(this.root, pattern, ignore);
    this.globs.set(pattern, known);
    return known;
  }

  private async fileDigests(paths: readonly string[]): Promise<FileDigests> {
    const sorted = [...new Set(paths)].sort(compareText);
    const pairs = await Promise.all(
      sorted.map(async (path) => [path, await this.digest(join(this.root, path))] as const),
    );
    return Object.fromEntries(pairs);
  }
}

function digestOf(value: string | undefined): string | null {
  return value === undefined ? null : sha256(value);
}
