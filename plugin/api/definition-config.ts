import { SettingsError } from '../base/settings-error.ts';
import type { DefinedFunction, DefinedFunctions, DefinedKind } from '../runtime/definitions.ts';
import { ArtifactDatasource, ExperimentInput } from './artifact-datasource.ts';
import type { Datasources, ExperimentOptions } from './experiment-options.ts';
import type { ExperimentOrigin } from './origin.ts';
import type { AnyFunction, FunctionEntry } from './shape.ts';

/** An experiment that was defined in code: what its config.yaml would say, and the functions that it names. */
export interface DefinitionConfig {
  readonly text: string;
  readonly functions: DefinedFunctions;
  /** The experiments whose artifacts it reads. */
  readonly upstream: readonly ExperimentOrigin[];
  readonly bareSource: boolean;
}

/** @throws SettingsError for a value that is no plain data */
export function configOf(options: ExperimentOptions): DefinitionConfig {
  return new Collector().collect(options);
}

class Collector {
  private readonly functions: Record<DefinedKind, Record<string, DefinedFunction>> = {
    datasources: {},
    steps: {},
    outputs: {},
    verifiers: {},
  };
  private readonly upstream = new Set<ExperimentOrigin>();

  collect(options: ExperimentOptions): DefinitionConfig {
    const { name, description, replicates, seed, params, inputs, execution, steps } = options;
    const { sources, bareSource } = this.datasources(options.datasource);
    const named = Array.isArray(steps)
      ? steps.map((entry: FunctionEntry, i) => [`step_${i + 1}`, entry, true] as const)
      : Object.entries(steps).map(([key, entry]) => [key, entry, false] as const);
    const config = {
      name,
      description,
      replicates,
      seed,
      params,
      inputs,
      datasource: sources,
      steps: named.map(([key, entry, own]) => this.call('steps', key, entry, own)),
      outputs: mapValues(options.outputs ?? {}, (output, alias) => ({
        file_name: output.fileName,
        writer: this.format(`write_${alias}`, output.writer),
        loader: this.format(`load_${alias}`, output.loader),
      })),
      treatments: mapValues(options.treatments ?? {}, ({ datasource, ...values }) => ({
        ...values,
        ...(datasource === undefined ? {} : { datasource: this.mapping(datasource as Datasources) }),
      })),
      hypotheses: options.hypotheses?.map(({ name: label, verifier, ...settings }, i) => ({
        name: label,
        verifier:
          typeof verifier === 'string'
            ? verifier
            : verifier && this.add('verifiers', verifier, verifier.name || `hypothesis_${i + 1}`),
        ...settings,
      })),
      execution,
    };
    return {
      text: `${JSON.stringify(plain(config, []), null, 2)}\n`,
      functions: this.functions,
      upstream: [...this.upstream],
      bareSource,
    };
  }

  /** One datasource that is no mapping reaches the first step bare; so does a mapping of one function. */
  private datasources(datasource: ExperimentOptions['datasource']): { sources: object; bareSource: boolean } {
    if (datasource instanceof ArtifactDatasource) {
      return { sources: this.mapping({ [datasource.output]: datasource }), bareSource: true };
    }
    if (datasource instanceof ExperimentInput) {
      return { sources: this.mapping(datasource.inputs), bareSource: false };
    }
    if (typeof datasource === 'function' || Array.isArray(datasource)) {
      return { sources: this.mapping({ data: datasource as FunctionEntry }), bareSource: true };
    }
    const entries = Object.values(datasource as Datasources);
    const bareSource = entries.length === 1 && !(entries[0] instanceof ArtifactDatasource);
    return { sources: this.mapping(datasource as Datasources), bareSource };
  }

  private mapping(datasources: Datasources): object {
    return mapValues(datasources, (source, alias) => {
      if (!(source instanceof ArtifactDatasource)) return this.call('datasources', alias, source, false);
      this.upstream.add(source.origin);
      return source.reference;
    });
  }

  /** @param own the function's own name goes before the key */
  private call(kind: DefinedKind, key: string, entry: FunctionEntry, own: boolean): unknown {
    const [callable, args] = typeof entry === 'function' ? [entry, undefined] : entry;
    if (typeof callable !== 'function') {
      throw new SettingsError(`"${key}" under ${kind} is ${describe(callable)} instead of a function.`);
    }
    const name = this.add(kind, callable, (own && callable.name) || key);
    return args === undefined ? name : { [name]: args };
  }

  private format(name: string, format: string | AnyFunction | undefined): string | undefined {
    return typeof format === 'function' ? this.add('outputs', format, name) : format;
  }

  /** Different functions get different names. */
  private add(kind: DefinedKind, callable: AnyFunction, wanted: string): string {
    const known = this.functions[kind];
    let name = wanted;
    for (let i = 2; Object.hasOwn(known, name) && known[name] !== callable; i++) name = `${wanted}_${i}`;
    known[name] = callable;
    return name;
  }
}

function mapValues<T>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

/** A copy of plain data. JSON would drop or change the rest without a word. */
function plain(value: unknown, path: readonly string[]): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, i) => plain(item, [...path, String(i)]));
  const prototype = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (prototype === Object.prototype || (typeof value === 'object' && prototype === null)) {
    const entries = Object.entries(value as object).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.map(([key, item]) => [key, plain(item, [...path, key])]));
  }
  throw new SettingsError(
    `defineExperiment: "${path.join('.')}" is ${describe(value)}; values are plain data: text, finite numbers, true, false, null, lists and mappings.`,
  );
}

function describe(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`;
  return value === null ? 'null' : `a ${value.constructor?.name ?? 'strange object'}`;
}
