import { SettingsError } from '../base/settings-error.ts';
import { MAX_DEPTH } from '../config/located-node.ts';
import type { DefinedFunction, DefinedFunctions, DefinedKind } from '../runtime/definitions.ts';
import { ArtifactDatasource, ExperimentInput } from './artifact-datasource.ts';
import type { Datasources, ExperimentOptions, HypothesisDefinition } from './experiment-options.ts';
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
    if (!isMapping(options)) {
      throw new SettingsError(
        `defineExperiment takes the experiment as an object, and got ${describe(options)}.`,
      );
    }
    const { name, description, replicates, seed, params, inputs, execution, ...others } = options;
    const { datasource, steps, outputs, treatments, hypotheses, folder, module, metrics, ...unknown } =
      others;
    const { sources, bareSource } = this.datasources(datasource);
    const config = {
      name,
      description,
      replicates,
      seed,
      params,
      inputs,
      datasource: sources,
      steps: this.steps(steps),
      outputs: mapMappings(outputs, ({ fileName, writer, loader, ...rest }, alias) => ({
        file_name: fileName,
        writer: this.format(`write_${alias}`, writer),
        loader: this.format(`load_${alias}`, loader),
        ...rest,
      })),
      treatments: mapMappings(treatments, ({ datasource: swapped, ...values }, treatment) => ({
        ...values,
        ...(swapped === undefined ? {} : { datasource: this.swaps(swapped, treatment) }),
      })),
      hypotheses: Array.isArray(hypotheses)
        ? hypotheses.map((hypothesis, i) => this.hypothesis(hypothesis, i))
        : hypotheses,
      execution,
      // The parser says what they may have been meant for.
      ...unknown,
    };
    return {
      text: `${JSON.stringify(plain(config, []), null, 2)}\n`,
      functions: this.functions,
      upstream: [...this.upstream],
      bareSource,
    };
  }

  /** One datasource that is no mapping reaches the first step bare; so does a mapping of one function. */
  private datasources(datasource: ExperimentOptions['datasource'] | undefined): {
    sources: object | undefined;
    bareSource: boolean;
  } {
    if (datasource === undefined) return { sources: undefined, bareSource: false };
    if (datasource instanceof ArtifactDatasource) {
      return { sources: this.mapping({ [datasource.output]: datasource }), bareSource: true };
    }
    if (datasource instanceof ExperimentInput) {
      return { sources: this.mapping(datasource.inputs), bareSource: false };
    }
    if (typeof datasource === 'function' || Array.isArray(datasource)) {
      return { sources: this.mapping({ data: datasource as FunctionEntry }), bareSource: true };
    }
    if (!isMapping(datasource)) {
      throw new SettingsError(
        `"datasource" is ${describe(datasource)}; it is a function, an artifact, or several of them by alias.`,
      );
    }
    const entries = Object.values(datasource as Datasources);
    const bareSource = entries.length === 1 && !(entries[0] instanceof ArtifactDatasource);
    return { sources: this.mapping(datasource as Datasources), bareSource };
  }

  private steps(steps: ExperimentOptions['steps'] | undefined): unknown[] | undefined {
    if (steps === undefined) return undefined;
    if (Array.isArray(steps))
      return steps.map((entry: FunctionEntry, i) => this.call('steps', `step_${i + 1}`, entry, true));
    if (!isMapping(steps)) {
      throw new SettingsError(
        `"steps" is ${describe(steps)}; it is a list of functions, or functions by name.`,
      );
    }
    return Object.entries(steps).map(([key, entry]) => this.call('steps', key, entry, false));
  }

  private hypothesis(hypothesis: HypothesisDefinition, index: number): unknown {
    if (!isMapping(hypothesis)) return hypothesis;
    const { name, verifier, ...settings } = hypothesis;
    const named =
      typeof verifier === 'function'
        ? this.add('verifiers', verifier, verifier.name || `hypothesis_${index + 1}`)
        : verifier;
    return { name, verifier: named, ...settings };
  }

  private swaps(datasources: Datasources, treatment: string): object {
    if (datasources instanceof ExperimentInput) return this.mapping(datasources.inputs);
    if (isMapping(datasources) && !(datasources instanceof ArtifactDatasource))
      return this.mapping(datasources);
    throw new SettingsError(
      `"treatments.${treatment}.datasource" is ${describe(datasources)}; it is a mapping from the datasources that it swaps.`,
    );
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
    const [callable, args] = Array.isArray(entry) ? entry : [entry, undefined];
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

/** What is no mapping of mappings is left to the parser, which says so. */
function mapMappings<T extends object>(
  record: Readonly<Record<string, T>> | undefined,
  change: (value: T, key: string) => object,
): unknown {
  if (!isMapping(record ?? {})) return record;
  return mapValues(record ?? {}, (value, key) => (isMapping(value) ? change(value, key) : value));
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy of plain data. JSON would drop or change the rest without a word. */
function plain(value: unknown, path: readonly string[]): unknown {
  if (path.length > MAX_DEPTH) {
    const start = path.slice(0, 4).join('.');
    throw new SettingsError(
      `defineExperiment: "${start}…" is nested more than ${MAX_DEPTH} levels deep, or holds itself.`,
    );
  }
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
  if (value === null) return 'null';
  const kind = value.constructor?.name ?? 'strange object';
  return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
