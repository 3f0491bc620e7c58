import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Diagnostic, Result } from '../base/diagnostics.ts';
import { sha256 } from '../base/digest.ts';
import type { ExperimentConfig } from '../config/config.ts';
import { type Claims, claimsOf, parseConfig } from '../config/parse.ts';
import type { Graph } from '../graph/graph.ts';
import { resolveGraph } from '../graph/resolve.ts';
import { ModuleFinder } from './code/modules.ts';

/** Results of parsing by digest of path and text, so that they can be kept between runs. */
export type ParseCache = Map<string, Result<ExperimentConfig>>;

export interface Discovery {
  readonly graph: Graph;
  readonly diagnostics: readonly Diagnostic[];
  /** Those that can be understood, whatever is wrong with what they read. */
  readonly configs: readonly ExperimentConfig[];
  /** What the others claim. */
  readonly broken: readonly Claims[];
  /** Text of each config file, for code frames. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Reads and connects the experiments of these config files.
 *
 * @param root absolute path
 * @param files relative to the root, with forward slashes
 */
export function readExperiments(
  root: string,
  files: readonly string[],
  cache: ParseCache = new Map(),
  finder: ModuleFinder = new ModuleFinder(root),
): Discovery {
  const texts = new Map<string, string>();
  const configs: ExperimentConfig[] = [];
  const diagnostics: Diagnostic[] = [];
  const broken: Claims[] = [];
  for (const file of files) {
    const text = readConfigText(join(root, file));
    texts.set(file, text);
    const key = sha256(`${file}\0${text}`);
    const parsed = cache.get(key) ?? parseConfig(file, text);
    cache.set(key, parsed);
    if (parsed.ok) configs.push(parsed.value);
    else {
      diagnostics.push(...parsed.diagnostics);
      broken.push(claimsOf(file, text));
    }
  }
  diagnostics.push(...doubleFiles(files), ...files.flatMap((file) => moduleClashes(finder, file)));
  const { graph, diagnostics: connecting } = resolveGraph(configs, broken);
  return { graph, diagnostics: [...diagnostics, ...connecting], configs, broken, texts };
}

/** Bytes that are no UTF-8 become U+FFFD, which the parser refuses with its place. */
export function readConfigText(path: string): string {
  return readFileSync(path, 'utf8').replace(/^\ufeff/, '');
}

function doubleFiles(files: readonly string[]): Diagnostic[] {
  const known = new Set(files);
  return files
    .filter((file) => file.endsWith('.yml') && known.has(`${file.slice(0, -4)}.yaml`))
    .map((file) => ({
      severity: 'error',
      code: 'config/two-files',
      message: `The folder "${posix.dirname(file)}" has a config.yaml and a config.yml.`,
      remedy: 'Keep one of the two.',
      at: { file, start: 0, end: 0 },
    }));
}

function moduleClashes(finder: ModuleFinder, file: string): Diagnostic[] {
  const folder = posix.dirname(file);
  return finder.clashesIn(join(finder.root, folder)).map(({ code, files }) => ({
    severity: 'error',
    code: code === 'twice' ? 'modules/two-languages' : 'modules/mixed-languages',
    message:
      code === 'twice'
        ? `The folder "${folder}" has ${files.join(' and ')}: it is not clear which of them is meant.`
        : `The folder "${folder}" mixes languages: ${files.join(', ')}. One worker runs the datasource, the steps and the outputs of an experiment.`,
    remedy:
      code === 'twice'
        ? 'Remove one of them.'
        : 'Write all of them in one language, or make two experiments of it: artifacts pass from one language to the other.',
    at: { file, start: 0, end: 0 },
  }));
}
