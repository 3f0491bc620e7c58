import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isWithMetrics, type StepContext } from '../runtime/context.ts';
import { ReplicateError, type RunFailure } from '../runtime/failures.ts';
import type { ArtifactRecord } from '../runtime/manifest.ts';
import { type Parameters, resolveParameters } from '../runtime/parameters.ts';
import { type BoundOutput, ReplicateArtifacts } from './node-artifacts.ts';
import { errorInfo } from './node-errors.ts';
import { BUILT_IN_LOADERS, BUILT_IN_WRITERS, dumpBytes } from './node-formats.ts';
import type { ModuleLoader } from './node-loader.ts';
import { seededRandom } from './node-random.ts';
import type { ConditionJob, JobSource, ReplicateJob } from './protocol.ts';

interface BoundCall {
  readonly name: string;
  readonly parameters: Parameters;
  readonly call: (...args: unknown[]) => unknown;
}

interface BoundSource {
  readonly alias: string;
  readonly read: (state: ReplicateState) => unknown;
}

interface ReplicateState {
  readonly replicate: number;
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
  ) {}

  /** @throws ReplicateError when a module, a function or a parameter is missing: no replicate can run */
  static async bind(job: ConditionJob, loader: ModuleLoader): Promise<Pipeline> {
    const binder = new Binder(job, loader);
    const steps: BoundCall[] = [];
    for (const step of job.steps) steps.push(await binder.call('steps', step.name, step.args));
    const sources: BoundSource[] = [];
    for (const source of job.sources) sources.push(await binder.source(source));
    const outputs = new Map<string, BoundOutput>();
    for (const output of job.outputs) outputs.set(output.alias, await binder.output(output));
    return new Pipeline(job, sources, steps, outputs);
  }

  /** Runs one replicate. @throws ReplicateError */
  async run(
    { replicate, seed, again }: ReplicateJob,
    signal: AbortSignal,
    log: (text: string) => void,
  ): Promise<ReplicateResult> {
    const { job } = this;
    const folder = join(job.artifacts, `replicate_${replicate}`);
    if (again) rmSync(folder, { recursive: true, force: true });
    const artifacts = new ReplicateArtifacts(folder, this.outputs, job.root);
    const metrics: Record<string, number[]> = {};
    const random = seededRandom(seed);
    let running = '';
    const add = (name: string, value: number): void => {
      if (typeof value !== 'number') {
        const got = value === null ? 'null' : typeof value;
        throw new ReplicateError({ reason: 'metric-invalid', metric: String(name), got, step: running });
      }
      const recorded = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
      if (recorded) recorded.push(value);
      else Object.defineProperty(metrics, name, { value: [value], enumerable: true });
    };
    const shared = {
      experiment: job.experiment,
      condition: job.condition,
      replicate,
      seed,
      random,
      metrics: { add },
      artifact: (alias: string) => artifacts.get(alias),
      log: (message: string) => log(String(message)),
      signal,
      folder: job.folder,
    };
    const state: ReplicateState = {
      replicate,
      contextWith: ({ visible }) => ({ ...shared, params: visible }),
    };

    let data = await this.readSources(state);
    for (const step of this.steps) {
      running = step.name;
      artifacts.enter(step.name);
      let returned: unknown;
      try {
        const context = state.contextWith(step.parameters);
        const { declared } = step.parameters;
        returned = declared === undefined ? step.call(data, context) : step.call(data, declared, context);
        if (isThenable(returned)) returned = await returned;
      } catch (thrown) {
        throw asFailure(thrown, (error) => ({ reason: 'step-threw', step: step.name, error }), job.root);
      }
      if (isWithMetrics(returned)) {
        for (const [name, value] of Object.entries(returned.metrics)) add(name, value);
        data = returned.data;
      } else data = returned;
    }
    try {
      return { metrics, artifacts: await artifacts.close() };
    } catch (thrown) {
      throw asFailure(
        thrown,
        (error) => ({ reason: 'results-unwritable', path: relative(job.root, folder), error }),
        job.root,
      );
    }
  }

  private async readSources(state: ReplicateState): Promise<unknown> {
    const [only] = this.sources;
    if (this.job.bareSource && only) return only.read(state);
    const values: Record<string, unknown> = {};
    for (const source of this.sources) values[source.alias] = await source.read(state);
    return values;
  }
}

/** Finds the functions that a job names. */
class Binder {
  constructor(
    private readonly job: ConditionJob,
    private readonly loader: ModuleLoader,
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
    const { name, call, parameters } = await this.call('datasources', source.name, source.args);
    const read = async (state: ReplicateState): Promise<unknown> => {
      try {
        const context = state.contextWith(parameters);
        return await (parameters.declared === undefined ? call(context) : call(parameters.declared, context));
      } catch (thrown) {
        throw asFailure(
          thrown,
          (error) => ({ reason: 'datasource-threw', datasource: name, error }),
          job.root,
        );
      }
    };
    return { alias: source.alias, read };
  }

  /** The producer's loader applied to the producer's file; without a loader, the bytes. */
  private async reader(source: JobSource & { type: 'artifact' }): Promise<BoundSource['read']> {
    const { root } = this.job;
    const name = source.loader?.name ?? 'load_bytes';
    const load = await this.pick(source.loader?.module, name, BUILT_IN_LOADERS, source.task);
    return async ({ replicate }) => {
      const path = join(source.artifacts, `replicate_${replicate % source.replicates}`, source.fileName);
      if (!existsSync(path)) {
        throw new ReplicateError({
          reason: 'upstream-missing',
          path: relative(root, path),
          task: source.task,
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

  async output(output: ConditionJob['outputs'][number]): Promise<BoundOutput> {
    const { job } = this;
    if (output.writer === undefined) return { ...output, writerName: 'dump_bytes', write: dumpBytes };
    const write = await this.pick(
      job.modules.outputs,
      output.writer,
      BUILT_IN_WRITERS,
      relative(job.root, job.folder),
    );
    return { ...output, writerName: output.writer, write };
  }

  /** The module's own function goes before the built-in one of that name. */
  private async pick<F extends (...args: never[]) => unknown>(
    file: string | undefined,
    name: string,
    builtIn: Readonly<Record<string, F>>,
    owner: string,
  ): Promise<F | ((...args: unknown[]) => unknown)> {
    const own = file === undefined ? undefined : await this.loader.find(file, name, this.job.tsconfig);
    const known = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
    if (own !== undefined || known !== undefined) return own ?? (known as F);
    if (file !== undefined) return this.loader.function(file, name, this.job.tsconfig);
    const remedy = `Add it to an outputs module, or use a built-in one: ${Object.keys(builtIn).join(', ')}.`;
    throw new ReplicateError({ reason: 'function-missing', name, file: `outputs of ${owner}`, remedy });
  }
}

function asFailure(
  thrown: unknown,
  wrap: (error: ReturnType<typeof errorInfo>) => RunFailure,
  root: string,
): ReplicateError {
  return thrown instanceof ReplicateError ? thrown : new ReplicateError(wrap(errorInfo(thrown, root)));
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
