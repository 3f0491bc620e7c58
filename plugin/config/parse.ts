import { posix } from 'node:path';
import type { Diagnostic, DiagnosticCode, Result, Span } from '../base/diagnostics.ts';
import { parseDuration } from '../base/duration.ts';
import type { Json, JsonObject } from '../base/json.ts';
import {
  BASELINE,
  CRATE_FILE,
  folderProblem,
  isLegalName,
  NAME_RULE,
  REPORT_FOLDER,
  SHARD_SUFFIX,
  suggestion,
} from '../base/names.ts';
import { ambiguousValues } from './ambiguous-values.ts';
import type {
  DatasourceEntry,
  DeclaredInput,
  Execution,
  ExperimentConfig,
  FunctionCall,
  Hypothesis,
  OutputEntry,
  Presentation,
  Reference,
  Treatment,
} from './config.ts';
import {
  floatsIn,
  type LocatedEntry,
  type LocatedNode,
  mappingToJson,
  type Path,
  toJson,
} from './located-node.ts';
import { CONFIG_SCHEMA } from './schema.ts';
import { validate } from './validate.ts';
import { parseYamlTree } from './yaml-tree.ts';

/** Beyond this many, the same thing is wrong everywhere. */
const MAX_PROBLEMS = 50;

/**
 * Reads the text of a config.yaml. Never touches the disk.
 *
 * @param file path relative to the workspace root, with forward slashes; its folder gives the default name
 * @returns the configuration, or the problems that the text has on its own
 */
export function parseConfig(file: string, text: string): Result<ExperimentConfig> {
  const tree = parseYamlTree(file, text);
  if (!tree.ok) return { ok: false, diagnostics: tree.diagnostics.slice(0, MAX_PROBLEMS) };
  const invalid = validate(tree.value, CONFIG_SCHEMA);
  const parser = new ConfigParser(file, tree.value, text);
  const config = parser.parse();
  const told = new Set(invalid.map(({ at }) => at.start));
  const diagnostics = [...invalid, ...parser.diagnostics.filter(({ at }) => !told.has(at.start))];
  return diagnostics.length > 0
    ? { ok: false, diagnostics: diagnostics.slice(0, MAX_PROBLEMS) }
    : { ok: true, value: config };
}

/** What a config claims even when something in it is wrong. */
export interface Claims {
  readonly file: string;
  /** Spares its consumers a second error. */
  readonly name: string;
  /** These may be wrong as well. */
  readonly references: readonly Reference[];
}

export function claimsOf(file: string, text: string): Claims {
  const tree = parseYamlTree(file, text);
  const draft = tree.ok ? new ConfigParser(file, tree.value, text).parse() : undefined;
  const entries = draft
    ? [draft, draft.baseline, ...draft.treatments].flatMap(({ datasource }) => datasource)
    : [];
  const references = entries.flatMap(({ source }) => (source.type === 'reference' ? [source] : []));
  return { file, name: claimedName(file, text, tree), references };
}

function claimedName(file: string, text: string, tree: Result<LocatedNode>): string {
  if (!tree.ok) {
    const line = /^name:[ \t]*["']?([A-Za-z0-9][\w.-]*)["']?[ \t]*(?:#.*)?\r?$/m.exec(text);
    return line?.[1] ?? defaultName(file);
  }
  const name = stringOf(child(tree.value, 'name'));
  return name ?? defaultName(file);
}

/** Shapes a tree, and checks what a schema cannot say. What the schema refuses is left out. */
class ConfigParser {
  readonly diagnostics: Diagnostic[] = [];
  private readonly folder: string;

  constructor(
    private readonly file: string,
    private readonly root: LocatedNode,
    private readonly text: string,
  ) {
    this.folder = posix.dirname(file);
  }

  parse(): ExperimentConfig {
    this.checkFolder();
    const datasource = this.datasource(this.get('datasource'));
    const treatments = entriesOf(this.get('treatments'));
    this.checkTreatmentNames(treatments);
    const conditions = treatments.map((entry) => this.treatment(entry, datasource));
    const replicates = this.get('replicates');
    const seed = this.get('seed');
    const timeout = child(this.get('execution'), 'timeout');
    for (const node of [replicates, seed]) if (node !== undefined) this.checkAmbiguity(node);
    if (timeout !== undefined && durationOf(timeout) === 0) {
      this.report(
        'config/invalid-value',
        timeout.at,
        `"execution.timeout" is ${stringOf(timeout)}: every replicate would be stopped as it starts.`,
        'Leave it out when there is no limit.',
      );
    }
    return {
      file: this.file,
      folder: this.folder,
      name: this.name(),
      definition: undefined,
      description: oneLine(stringOf(this.get('description'))),
      replicates: replicates && { value: numberOf(replicates) ?? 1, at: replicates.at },
      seed: numberOf(seed) ?? 0,
      params: this.values(entriesOf(this.get('params'))),
      ...floats(entriesOf(this.get('params'))),
      inputs: itemsOf(this.get('inputs')).flatMap((item) => this.input(item)),
      datasource,
      steps: itemsOf(this.get('steps')).map((item) => this.call(item)),
      outputs: this.outputs(entriesOf(this.get('outputs'))),
      baseline: conditions.find((c) => c.name === BASELINE) ?? {
        name: BASELINE,
        values: {},
        datasource: [],
        at: { file: this.file, start: 0, end: 0 },
      },
      treatments: conditions.filter((c) => c.name !== BASELINE),
      hypotheses: itemsOf(this.get('hypotheses')).map((item) => this.hypothesis(item)),
      presentation: presentation(this.get('cli')),
      execution: execution(this.get('execution')),
    };
  }

  private get(key: string): LocatedNode | undefined {
    return child(this.root, key);
  }

  private hypothesis(node: LocatedNode): Hypothesis {
    const verifier = stringOf(child(node, 'verifier')) ?? DEFAULT_TEST;
    const metrics = child(node, 'metrics');
    const nested = itemsOf(metrics).some((item) => item.kind === 'list');
    const margin = numberOf(child(node, 'margin'));
    const require = child(node, 'require');
    const needs =
      stringOf(require) === 'not-worse'
        ? require
        : verifier === 'equivalence'
          ? child(node, 'verifier')
          : undefined;
    if (needs !== undefined && margin === undefined) {
      this.report(
        'config/missing-key',
        needs.at,
        `"${stringOf(needs)}" needs a "margin": the largest difference that does not matter.`,
        'Add it in the units of the metric, such as "margin: 0.01".',
      );
    }
    const alternative = child(node, 'alternative');
    const better = stringOf(child(node, 'better'));
    const [worse, openThere] = better === 'lower' ? ['higher', 'greater'] : ['lower', 'less'];
    const gate = verifier === 'equivalence' ? undefined : stringOf(require);
    const isUnmet = gate === 'not-worse' || (gate === 'significant' && better !== undefined);
    if (alternative !== undefined && isUnmet && stringOf(alternative) === openThere) {
      this.report(
        'config/invalid-value',
        alternative.at,
        gate === 'not-worse'
          ? `With "alternative: ${openThere}" the interval has no end on the side of ${worse} values, which are worse: nothing can be "not-worse".`
          : `With "alternative: ${openThere}" the test looks for ${worse} values only, which are worse: nothing can be significant for the better.`,
        'Leave "alternative" out, or name the other side.',
      );
    }
    return {
      name: stringOf(child(node, 'name')) ?? verifier,
      verifier,
      metricGroups: nested ? itemsOf(metrics).map(names) : [names(metrics)],
      alpha: numberOf(child(node, 'alpha')) ?? 0.05,
      alternative: (stringOf(alternative) ?? 'two-sided') as Hypothesis['alternative'],
      margin: margin ?? Number.NaN,
      correction: (stringOf(child(node, 'correction')) ?? 'holm') as Hypothesis['correction'],
      require: stringOf(require) as Hypothesis['require'],
      better: better as Hypothesis['better'],
      at: node.at,
    };
  }

  private checkFolder(): void {
    const problem = folderProblem(this.folder);
    if (problem === undefined) return;
    this.report(
      'config/illegal-folder',
      { file: this.file, start: 0, end: 0 },
      `The folder "${this.folder}" ${problem}, which Nx reads as a pattern: it would not notice what changes there.`,
      'Rename the folder: no part of its path may have ( ) [ ] { } * ? or \\ in it, nor may the path begin with "!".',
    );
  }

  private name(): { value: string; at: Span } {
    const node = this.get('name');
    if (node) return { value: stringOf(node) ?? '', at: node.at };
    const value = defaultName(this.file);
    const at = { file: this.file, start: 0, end: 0 };
    if (!isLegalName(value)) {
      this.report(
        'config/illegal-name',
        at,
        `The folder's name "${value}" is not allowed as the name of an experiment.`,
        `Add "name:" with ${NAME_RULE}, or rename the folder.`,
      );
    }
    return { value, at };
  }

  private datasource(node: LocatedNode | undefined): DatasourceEntry[] {
    const entries = node?.kind === 'list' ? node.items.flatMap(entriesOf) : entriesOf(node);
    const seen = new Map<string, Span>();
    return entries.map((entry) => {
      const first = seen.get(entry.key);
      if (first) {
        this.diagnostics.push({
          severity: 'error',
          code: 'config/duplicate-datasource',
          message: `The datasource "${entry.key}" stands here a second time.`,
          remedy: 'Give one of the two another alias.',
          at: entry.keyAt,
          related: [{ message: 'It stands here first.', at: first }],
        });
      }
      seen.set(entry.key, entry.keyAt);
      return { alias: entry.key, aliasAt: entry.keyAt, source: this.source(entry.value) };
    });
  }

  private source(node: LocatedNode): FunctionCall | Reference {
    const text = stringOf(node);
    if (text === undefined || !text.includes('#')) return this.call(node);
    const [experiment = '', output = '', ...rest] = text.split('#');
    if (rest.length > 0 || !isLegalName(experiment) || !isLegalName(output)) {
      this.report(
        'config/invalid-value',
        node.at,
        `"${text}" is not a reference.`,
        'Write it as experiment#output, for example producer#summary.',
      );
      return this.call(node);
    }
    return { type: 'reference', experiment, output, at: node.at };
  }

  private call(node: LocatedNode): FunctionCall {
    const entry = node.kind === 'mapping' ? node.entries[0] : undefined;
    const name = entry ? entry.key : (stringOf(node) ?? '');
    return {
      type: 'function',
      name,
      args: this.values(entriesOf(entry?.value)),
      ...floats(entriesOf(entry?.value)),
      at: entry?.keyAt ?? node.at,
    };
  }

  private input(node: LocatedNode): DeclaredInput[] {
    const name = stringOf(child(node, 'env'));
    if (name !== undefined) return [{ type: 'env', name }];
    const text = stringOf(node) ?? '';
    const fromRoot = text.startsWith('{workspaceRoot}/');
    const path = text.replace(/^\{(?:workspaceRoot|projectRoot)\}\//, '');
    const glob = posix.join(fromRoot ? '.' : this.folder, path);
    const outside = posix.isAbsolute(path) || glob === '..' || glob.startsWith('../');
    if (outside || /[\\\p{Cc}]/u.test(text)) {
      this.report(
        'config/path-escapes',
        node.at,
        outside ? `The input "${text}" leaves the workspace.` : `The input "${text}" is not a path.`,
        'Name files of the workspace, relative to this folder or to {workspaceRoot}, with forward slashes.',
      );
      return [];
    }
    return [{ type: 'files', glob, at: node.at }];
  }

  private outputs(entries: readonly LocatedEntry[]): OutputEntry[] {
    const byFile = new Map<string, OutputEntry>();
    return entries.map((entry) => {
      const named = child(entry.value, 'file_name');
      const at = named?.at ?? entry.keyAt;
      const written = stringOf(named) ?? entry.key;
      const fileName = posix.normalize(written);
      const problem = fileNameProblem(written, fileName);
      if (problem !== undefined) {
        this.report(
          'config/path-escapes',
          at,
          `The file name "${written}" ${problem}.`,
          "Name a file inside the replicate's folder, with forward slashes, as in plots/loss.json.",
        );
      }
      const output: OutputEntry = {
        alias: entry.key,
        fileName,
        writer: stringOf(child(entry.value, 'writer')),
        loader: stringOf(child(entry.value, 'loader')),
        at,
      };
      // Case folds on some file systems, and one path inside another needs a folder where a file is.
      const folded = fileName.normalize('NFC').toLowerCase();
      for (const [other, first] of byFile) {
        const same = other === folded;
        if (!same && !other.startsWith(`${folded}/`) && !folded.startsWith(`${other}/`)) continue;
        const byCase = first.fileName === fileName ? '' : ' on systems that ignore letter case';
        this.diagnostics.push({
          severity: 'error',
          code: 'config/duplicate-file-name',
          message: same
            ? `The outputs "${first.alias}" and "${output.alias}" write the same file${byCase}: "${fileName}".`
            : `The outputs "${first.alias}" and "${output.alias}" make a file and a folder of one path: "${other.length < folded.length ? first.fileName : fileName}".`,
          remedy: 'Give one of the two another file_name.',
          at,
          related: [{ message: `"${first.alias}" writes "${first.fileName}".`, at: first.at }],
        });
        break;
      }
      byFile.set(folded, output);
      return output;
    });
  }

  private treatment(entry: LocatedEntry, base: readonly DatasourceEntry[]): Treatment {
    const values = entriesOf(entry.value).filter(({ key }) => key !== 'datasource');
    const taken = [REPORT_FOLDER, CRATE_FILE].find((name) => entry.key.toLowerCase() === name);
    if (taken !== undefined) {
      this.report(
        'config/illegal-name',
        entry.keyAt,
        `A treatment cannot be named "${entry.key}": results/${taken} ${taken === REPORT_FOLDER ? 'holds' : 'describes'} the comparison.`,
        'Choose another name.',
      );
    }
    if (SHARD_SUFFIX.test(entry.key)) {
      this.report(
        'config/illegal-name',
        entry.keyAt,
        `A treatment cannot be named "${entry.key}": names that end like that are those of shards.`,
        'Choose another ending than "--", a number, "of" and a number.',
      );
    }
    const swapped = this.datasource(child(entry.value, 'datasource'));
    for (const { alias, aliasAt } of swapped) {
      const aliases = base.map((b) => b.alias);
      if (!aliases.includes(alias)) {
        this.report(
          'config/unknown-datasource',
          aliasAt,
          `The treatment "${entry.key}" swaps the datasource "${alias}", which the experiment does not have.`,
          suggestion(alias, aliases, 'datasources'),
        );
      }
    }
    return {
      name: entry.key,
      values: this.values(values),
      ...floats(values),
      datasource: swapped,
      at: entry.keyAt,
    };
  }

  /** Their folders in results/ would be one where case folds. */
  private checkTreatmentNames(treatments: readonly LocatedEntry[]): void {
    const seen = new Map([[BASELINE, BASELINE]]);
    for (const entry of treatments) {
      const folded = entry.key.toLowerCase();
      const first = seen.get(folded) ?? entry.key;
      if (first !== entry.key) {
        this.report(
          'config/illegal-name',
          entry.keyAt,
          `The conditions "${first}" and "${entry.key}" differ only in letter case.`,
          'Choose names that differ in more: each names a folder.',
        );
      }
      seen.set(folded, first);
    }
  }

  /** What steps and datasources get. */
  private values(entries: readonly LocatedEntry[]): JsonObject {
    for (const { value } of entries) this.checkAmbiguity(value);
    return mappingToJson(entries);
  }

  private checkAmbiguity(node: LocatedNode): void {
    this.diagnostics.push(...ambiguousValues(node, this.text));
  }

  private report(code: DiagnosticCode, at: Span, message: string, remedy: string): void {
    this.diagnostics.push({ severity: 'error', code, message, remedy, at });
  }
}

/** Nothing when there are none, as nearly always. */
function floats(entries: readonly LocatedEntry[]): { floats?: readonly Path[] } {
  const found = entries.flatMap(({ key, value }) => floatsIn(value).map((path) => [key, ...path]));
  return found.length === 0 ? {} : { floats: found };
}

/** Why a file name cannot be one inside a replicate's folder; continues "The file name …". */
function fileNameProblem(written: string, normalized: string): string | undefined {
  if (posix.isAbsolute(written) || normalized === '..' || normalized.startsWith('../'))
    return "leaves the replicate's folder";
  if (normalized === '.' || normalized.endsWith('/')) return 'names a folder';
  const [bad] = /[\\:]|\p{Cc}/u.exec(written) ?? [];
  return bad === undefined ? undefined : `has a "${bad}" in it`;
}

function names(node: LocatedNode | undefined): string[] {
  const one = stringOf(node);
  return one === undefined ? itemsOf(node).flatMap((item) => stringOf(item) ?? []) : [one];
}

function presentation(node: LocatedNode | undefined): Presentation {
  return {
    group: stringOf(child(node, 'group')),
    priority: numberOf(child(node, 'priority')),
    icon: stringOf(child(node, 'icon')),
    color: stringOf(child(node, 'color')),
    hidden: plainOf(child(node, 'hidden')) === true,
  };
}

function execution(node: LocatedNode | undefined): Execution {
  return {
    workers: numberOf(child(node, 'workers')),
    concurrency: numberOf(child(node, 'concurrency')) ?? 1,
    timeoutMs: durationOf(child(node, 'timeout')),
    retries: numberOf(child(node, 'retries')) ?? 0,
    shards: numberOf(child(node, 'shards')),
    estimateMs: durationOf(child(node, 'estimate')),
    python: stringOf(child(node, 'python')),
  };
}

/** Replicates share their seeds across conditions: they are paired. */
const DEFAULT_TEST = 'paired_t_test';

function durationOf(node: LocatedNode | undefined): number | undefined {
  const text = stringOf(node);
  return text === undefined ? undefined : parseDuration(text);
}

function defaultName(file: string): string {
  return posix.basename(posix.dirname(file));
}

function child(node: LocatedNode | undefined, key: string): LocatedNode | undefined {
  return entriesOf(node).find((entry) => entry.key === key)?.value;
}

function entriesOf(node: LocatedNode | undefined): readonly LocatedEntry[] {
  return node?.kind === 'mapping' ? node.entries : [];
}

function itemsOf(node: LocatedNode | undefined): readonly LocatedNode[] {
  return node?.kind === 'list' ? node.items : [];
}

function plainOf(node: LocatedNode | undefined): Json | undefined {
  return node && toJson(node);
}

function stringOf(node: LocatedNode | undefined): string | undefined {
  const value = plainOf(node);
  return typeof value === 'string' ? value : undefined;
}

/** YAML ends what is written below `>` or `|` with an end of line. */
function oneLine(text: string | undefined): string | undefined {
  return text?.trim().replace(/\s+/g, ' ');
}

function numberOf(node: LocatedNode | undefined): number | undefined {
  const value = plainOf(node);
  return typeof value === 'number' ? value : undefined;
}
