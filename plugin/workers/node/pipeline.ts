import { existsSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { suggestion } from '../../base/names.ts';
import { soon } from '../../io/soon.ts';
import { type Artifact, isWithMetrics, type StepContext } from '../../runtime/context.ts';
import { ReplicateError, type RunFailure } from '../../runtime/failures.ts';
import type { ArtifactRecord } from '../../runtime/manifest.ts';
import {
  type Declaring,
  type Parameters,
  resolveParameters,
  unusedParameters,
} from '../../runtime/parameters.ts';
import type { FunctionLoader } from '../function-loader.ts';
import type { ConditionJob, JobSource, ReplicateJob } from '../protocol.ts';
import { type BoundOutput, ReplicateArtifacts } from './artifacts.ts';
import { errorInfo } from './errors.ts';
import { BUILT_IN_LOADERS, BUILT_IN_WRITERS, dumpBytes, standIn } from './formats.ts';
import { looksAtParams } from './looks-at-params.ts';
import { seededRandom } from './random.ts';
import type { Stopping } from './stopping.ts';

interface BoundCall {
  readonly name: string;
  readonly parameters: Parameters;
  readonly call: (...args: unknown[]) => unknown;
}

interface BoundSource {
  readonly alias: string;
  readonly read: (state: ReplicateState) => unknown;
  /** Undefined for an artifact. */
  readonly call?: BoundCall;
}

/** What is told of a replicate while it runs. */
export interface ReplicateListener {
  readonly log: (text: string) => void;
  /** Before each function, as in "step clean"; where somebody wants to know. */
  readonly enter?: (call: string) => void;
}

/** What the functions of one replicate share. */
interface ReplicateState {
  readonly replicate: number;
  readonly enter: ReplicateListener['enter'];
  contextWith(parameters: Parameters): StepContext;
}

export interface ReplicateResult {
  readonly metrics: Record<string, number[]>;
  readonly artifacts: Readonly<Record<string, ArtifactRecord>>;
}

/** Datasource -> steps -> outputs of one condition, with every function found and every parameter resolved. */
export class Pipeline {
  private constructor(
    private readonly job: ConditionJob,
    private readonly sources: readonly BoundSource[],
    private readonly steps: readonly BoundCall[],
    private readonly outputs: ReadonlyMap<string, BoundOutput>,
    private warnings: readonly string[],
  ) {}

  /** What its author should know before it runs; told once. */
  takeWarnings(): readonly string[] {
    const { warnings } = this;
    this.warnings = [];
    return warnings;
  }

  /** @throws ReplicateError when a module, a function or a parameter is missing: no replicate can run */
  static async bind(job: ConditionJob, loader: FunctionLoader): Promise<Pipeline> {
    const binder = new Binder(job, loader);
    const steps: BoundCall[] = [];
    for (const step of job.steps) steps.push(await binder.call('steps', step.name, step.args));
    const sources: BoundSource[] = [];
    for (const source of job.sources) sources.push(await binder.source(source));
    const outputs = new Map<string, BoundOutput>();
    for (const output of job.outputs) outputs.set(output.alias, await binder.output(output));
    const declaring = (calls: readonly BoundCall[], place: number): Declaring[] =>
      calls.map(({ call, parameters }) => ({
        parameters,
        looks: parameters.declared === undefined && looksAtParams(call, place),
      }));
    const read = sources.flatMap(({ call }) => call ?? []);
    const warnings = unusedParameters(job.context, [...declaring(steps, 1), ...declaring(read, 0)]);
    return new Pipeline(job, sources, steps, outputs, warnings);
  }

  /** Runs one replicate. @throws ReplicateError */
  async run(
    { replicate, seed, again }: ReplicateJob,
    stopping: Stopping,
    { log, enter }: ReplicateListener,
  ): Promise<ReplicateResult> {
    const { job } = this;
    const folder = `${job.artifacts}${sep}replicate_${replicate}`;
    if (again) rmSync(folder, { recursive: true, force: true });
    let artifacts: ReplicateArtifacts | undefined;
    const metrics: Record<string, number[]> = {};
    const random = seededRandom(seed);
    let running = '';
    const add = (name: string, value: number): void => {
      if (typeof value !== 'number') {
        const got = value === null ? 'null' : typeof value;
        throw new ReplicateError({ reason: 'metric-invalid', metric: String(name), got, step: running });
      }
      if (Object.hasOwn(metrics, name)) metrics[name]?.push(value);
      else if (name === '__proto__')
        Object.defineProperty(metrics, name, { value: [value], enumerable: true });
      else metrics[name] = [value];
    };
    const recorder = { add };
    const artifact = (alias: string): Artifact => {
      artifacts ??= new ReplicateArtifacts(folder, this.outputs, job.root);
      return artifacts.get(alias, running);
    };
    const controller = stopping.enter();
    const { signal } = controller;
    let context: StepContext | undefined;
    const state: ReplicateState = {
      replicate,
      enter,
      // Functions without arguments of their own see the same parameters, and so may share the context.
      contextWith: ({ visible }) => {
        if (context?.params === visible) return context;
        context = {
          experiment: job.experiment,
          condition: job.condition,
          replicate,
          seed,
          random,
          params: visible,
          metrics: recorder,
          artifact,
          log: (message) => log(String(message)),
          signal,
          folder: job.folder,
        };
        return context;
      },
    };

    try {
      const only = this.job.bareSource ? this.sources[0] : undefined;
      let data = only ? only.read(state) : this.readSources(state);
      if (isThenable(data)) data = await data;
      for (const step of this.steps) {
        running = step.name;
        enter?.(`step ${step.name}`);
        try {
          const { call, parameters } = step;
          const context = state.contextWith(parameters);
          let returned =
            parameters.declared === undefined
              ? call(data, context)
              : call(data, parameters.declared, context);
          if (isThenable(returned)) returned = await returned;
          if (isWithMetrics(returned)) {
            for (const [name, value] of Object.entries(returned.metrics)) add(name, value);
            data = returned.data;
          } else data = returned;
        } catch (thrown) {
          throw asFailure(thrown, (error) => ({ reason: 'step-threw', step: step.name, error }), job.root);
        }
      }
      if (artifacts === undefined && this.outputs.size === 0) return { metrics, artifacts: {} };
      artifacts ??= new ReplicateArtifacts(folder, this.outputs, job.root);
      return { metrics, artifacts: await this.close(artifacts, folder) };
    } finally {
      artifacts?.abandon();
      stopping.leave(controller);
    }
  }

  private async close(artifacts: ReplicateArtifacts, folder: string): Promise<ReplicateResult['artifacts']> {
    const { root } = this.job;
    try {
      return await artifacts.close();
    } catch (thrown) {
      const path = relative(root, folder);
      throw asFailure(thrown, (error) => ({ reason: 'results-unwritable', path, error }), root);
    }
  }

  private async readSources(state: ReplicateState): Promise<unknown> {
    const values: Record<string, unknown> = {};
    for (const source of this.sources) values[source.alias] = await source.read(state);
    return values;
  }
}

/** Finds the functions that a job names. */
class Binder {
  constructor(
    private readonly job: ConditionJob,
    private readonly loader: FunctionLoader,
  ) {}

  async call(kind: 'datasources' | 'steps', name: string, args: ConditionJob['context']): Promise<BoundCall> {
    const { job } = this;
    const file = job.modules[kind];
    if (file === undefined) {
      throw new ReplicateError({
        reason: 'module-missing',
        module: kind,
        folder: relative(job.root, job.folder),
      });
    }
    const call = await this.loader.function(file, name, job.tsconfig);
    return { name, call, parameters: resolveParameters(name, call, args, job.context) };
  }

  async source(source: JobSource): Promise<BoundSource> {
    const { job } = this;
    if (source.type === 'artifact') return { alias: source.alias, read: await this.reader(source) };
    const bound = await this.call('datasources', source.name, source.args);
    const { name, call, parameters } = bound;
    const fail = (thrown: unknown): never => {
      throw asFailure(thrown, (error) => ({ reason: 'datasource-threw', datasource: name, error }), job.root);
    };
    const read = (state: ReplicateState): unknown => {
      state.enter?.(`datasource ${name}`);
      try {
        const context = state.contextWith(parameters);
        const value = parameters.declared === undefined ? call(context) : call(parameters.declared, context);
        return isThenable(value) ? Promise.resolve(value).catch(fail) : value;
      } catch (thrown) {
        return fail(thrown);
      }
    };
    return { alias: source.alias, read, call: bound };
  }

  /** The producer's loader applied to the producer's file; without a loader, the bytes. */
  private async reader(source: JobSource & { type: 'artifact' }): Promise<BoundSource['read']> {
    const { root } = this.job;
    const name = source.loader?.name ?? 'load_bytes';
    const { experiment, condition } = source;
    const module = source.loader?.module;
    const load = module?.endsWith('.py')
      ? await this.foreignLoader(source, name, module)
      : await this.pick('loader', module, name, BUILT_IN_LOADERS, experiment);
    return async ({ replicate, enter }) => {
      enter?.(`datasource ${source.alias}`);
      const path = join(source.artifacts, `replicate_${replicate % source.replicates}`, source.fileName);
      if (!(await soon(async () => existsSync(path) || undefined))) {
        throw new ReplicateError({
          reason: 'upstream-missing',
          path: relative(root, path),
          maker: { experiment, condition },
        });
      }
      try {
        return await load(path);
      } catch (thrown) {
        const where = relative(root, path);
        throw asFailure(
          thrown,
          (error) => ({ reason: 'loader-threw', path: where, loader: name, error }),
          root,
        );
      }
    };
  }

  /** Instead of a loader that only Python can call: this experiment's own of that name, else a built-in one. */
  private async foreignLoader(source: JobSource & { type: 'artifact' }, name: string, module: string) {
    const { root, folder, modules, tsconfig } = this.job;
    const own =
      modules.outputs === undefined ? undefined : await this.loader.find(modules.outputs, name, tsconfig);
    const found = own ?? standIn(name, source.fileName);
    if (found !== undefined) return found;
    throw new ReplicateError({
      reason: 'loader-foreign',
      loader: name,
      producer: relative(root, module),
      fileName: source.fileName,
      outputs: relative(root, modules.outputs ?? join(folder, 'outputs.ts')),
    });
  }

  async output(output: ConditionJob['outputs'][number]): Promise<BoundOutput> {
    const { job } = this;
    if (output.writer === undefined) return { ...output, writerName: 'dump_bytes', write: dumpBytes };
    const write = await this.pick(
      'writer',
      job.modules.outputs,
      output.writer,
      BUILT_IN_WRITERS,
      relative(job.root, job.folder),
    );
    return { ...output, writerName: output.writer, write };
  }

  /** The module's own function goes before the built-in one of that name. */
  private async pick<F extends (...args: never[]) => unknown>(
    kind: 'writer' | 'loader',
    file: string | undefined,
    name: string,
    builtIn: Readonly<Record<string, F>>,
    owner: string,
  ): Promise<F | ((...args: unknown[]) => unknown)> {
    const own = file === undefined ? undefined : await this.loader.find(file, name, this.job.tsconfig);
    const known = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
    if (own !== undefined || known !== undefined) return own ?? (known as F);
    if (file !== undefined) return this.loader.function(file, name, this.job.tsconfig);
    const remedy = suggestion(name, Object.keys(builtIn), `built-in ${kind}s`);
    throw new ReplicateError({ reason: 'format-missing', kind, name, owner, remedy });
  }
}

function asFailure(
  thrown: unknown,
  wrap: (error: ReturnType<typeof errorInfo>) => RunFailure,
  root: string,
): ReplicateError {
  return thrown instanceof ReplicateError
    ? thrown
    : new ReplicateError(wrap(errorInfo(thrown, root)), { cause: thrown });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
