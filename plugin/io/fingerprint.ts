import { createRequire } from 'node:module';
import { join } from 'node:path';
import fastGlob from 'fast-glob';
import { compareText } from '../base/diagnostics.ts';
import { type FileDigests, sha256 } from '../base/digest.ts';
import type { Definition } from '../config/config.ts';
import type { PlannedCondition } from '../runtime/plan.ts';
import type { KeyComponents, SourceComponent } from '../store/components.ts';
import { inputGlobs } from './declared-inputs.ts';
import { digestFile } from './digest-file.ts';
import { ImportScanner } from './imports.ts';
import { findModules, findTsconfig, tsconfigChain } from './modules.ts';
import { InstalledPackages } from './packages.ts';

const { version } = createRequire(import.meta.url)('nx-experiments/package.json') as { version: string };

/** Below a folder of which any file may be imported. */
const NOT_CODE = ['**/node_modules/**', '**/results/**'];

interface Code {
  readonly files: FileDigests;
  readonly packages: Readonly<Record<string, string>>;
}

/** Finds what conditions depend on. One instance for one run: it reads each file once. */
export class Fingerprints {
  private readonly scanner: ImportScanner;
  private readonly packages: InstalledPackages;
  private readonly codes = new Map<string, Promise<Code>>();
  private readonly digests = new Map<string, Promise<string>>();
  private readonly globs = new Map<string, Promise<readonly string[]>>();

  constructor(private readonly root: string) {
    this.scanner = new ImportScanner(root);
    this.packages = new InstalledPackages(root);
  }

  /** @throws when a file that it depends on cannot be read */
  async components(planned: PlannedCondition): Promise<KeyComponents> {
    const own = await this.code(planned.folder, planned.definition, ['datasources', 'steps', 'outputs']);
    const loaders: Code[] = [];
    for (const source of planned.sources) {
      if (source.type === 'artifact' && source.output.loader !== undefined) {
        loaders.push(await this.code(source.upstreamFolder, source.upstreamDefinition, ['outputs']));
      }
    }
    return {
      engine: version,
      interpreter: `node ${process.versions.node.split('.')[0]}`,
      experiment: planned.experiment,
      condition: planned.condition,
      folder: planned.folder,
      context: planned.context,
      steps: planned.steps.map(({ name, args }) => ({ name, args })),
      sources: planned.sources.map(sourceComponent),
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
      env: Object.fromEntries(
        planned.inputs.flatMap((input) =>
          input.type === 'env' ? [[input.name, digestOf(process.env[input.name])]] : [],
        ),
      ),
    };
  }

  /** Digest of a file's content; read once. */
  digest(path: string): Promise<string> {
    const known = this.digests.get(path) ?? digestFile(path);
    this.digests.set(path, known);
    return known;
  }

  /** Digest of a file of the workspace, or `missing`: a path relative to the root. */
  digestOrMissing(path: string): Promise<string> {
    return this.digest(join(this.root, path)).catch(() => 'missing');
  }

  private code(
    folder: string,
    definition: Definition | undefined,
    kinds: readonly ('datasources' | 'steps' | 'outputs')[],
  ): Promise<Code> {
    const key = `${folder}\0${definition?.module ?? kinds.join()}`;
    const known = this.codes.get(key) ?? this.readCode(folder, definition, kinds);
    this.codes.set(key, known);
    return known;
  }

  private async readCode(
    folder: string,
    definition: Definition | undefined,
    kinds: readonly ('datasources' | 'steps' | 'outputs')[],
  ): Promise<Code> {
    const absolute = join(this.root, folder);
    const modules = findModules(absolute);
    const tsconfig = findTsconfig(this.root, absolute);
    const entries =
      definition === undefined ? kinds.flatMap((kind) => modules[kind] ?? []) : [definition.module ?? ''];
    const reached = this.scanner.reach(entries, tsconfig);
    const inFolders = await Promise.all(
      reached.folders.map((path) => this.glob(`${fastGlob.escapePath(path)}/**/*`, NOT_CODE)),
    );
    const paths = [
      ...reached.files,
      ...inFolders.flat(),
      ...(tsconfig === undefined ? [] : tsconfigChain(this.root, tsconfig)),
    ];
    return { files: await this.fileDigests(paths), packages: this.packages.versions(reached.installed) };
  }

  private async inputFiles({ inputs }: PlannedCondition): Promise<FileDigests> {
    const globs = inputs.flatMap((input) => (input.type === 'files' ? inputGlobs(input.glob) : []));
    return this.fileDigests((await Promise.all(globs.map((glob) => this.glob(glob)))).flat());
  }

  private glob(pattern: string, ignore: string[] = []): Promise<readonly string[]> {
    const known =
      this.globs.get(pattern) ??
      fastGlob(pattern, { cwd: this.root, dot: true, ignore, suppressErrors: true });
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

function sourceComponent(source: PlannedCondition['sources'][number]): SourceComponent {
  if (source.type === 'function') return { alias: source.alias, function: source.name, args: source.args };
  const { alias, experiment, output } = source;
  return {
    alias,
    reference: `${experiment}#${output.alias}`,
    fileName: output.fileName,
    loader: output.loader ?? null,
  };
}

function digestOf(value: string | undefined): string | null {
  return value === undefined ? null : sha256(value);
}
