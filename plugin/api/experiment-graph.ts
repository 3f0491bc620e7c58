import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { renderDot } from '../picture/dot.ts';
import { pictureOf } from '../picture/model.ts';
import { onlyDefines } from '../runtime/definitions.ts';
import { Experiment } from './experiment.ts';
import { findExperiments } from './find-experiments.ts';
import { type ExperimentOrigin, type ResolvedExperiments, resolveOrigins } from './origin.ts';
import type { Result } from './result.ts';
import type { GraphRunOptions } from './run-options.ts';
import type { Shape } from './shape.ts';
import type { StreamItem } from './stream.ts';

/** Results by experiment. */
export type Results<Experiments extends readonly Experiment[]> = {
  readonly [E in Experiments[number] as E['name']]: E extends Experiment<infer S> ? Result<S> : never;
};

/**
 * Experiments and all that they read, ready to run without Nx: with the same engine, the same run store and the same
 * results on the disk.
 *
 * @example
 * const graph = ExperimentGraph.fromYaml('experiments/consumer');
 * const results = await graph.run({ replicates: 1 });
 * console.log(results.consumer.values('error', 'high_lr'));
 */
export class ExperimentGraph<R extends object = Readonly<Record<string, Result>>> {
  /** For the types of the results; there is no value. */
  declare readonly shape?: R;

  private constructor(
    private readonly origins: readonly ExperimentOrigin[],
    private readonly resolved: ResolvedExperiments,
  ) {}

  /**
   * The experiment of a config.yaml, or of its folder, with all that it reads; all experiments below a folder that is
   * none itself. In an Nx workspace, experiments are what the plugin takes for such.
   *
   * @throws SettingsError with every problem of their configuration
   */
  static fromYaml(path: string): ExperimentGraph<Readonly<Record<string, Result>>> {
    const origins = findExperiments(path);
    return new ExperimentGraph(origins, resolveOrigins(origins));
  }

  /**
   * These experiments, with all that they read.
   *
   * @throws SettingsError with every problem of the graph: a name used twice, a cycle, replicates that do not agree
   * @example
   * const { consumer } = await ExperimentGraph.fromExperiments(producer, consumer).run();
   */
  static fromExperiments<const Experiments extends readonly Experiment[]>(
    ...experiments: Experiments
  ): ExperimentGraph<Results<Experiments>>;
  static fromExperiments<const Experiments extends readonly Experiment[]>(
    experiments: Experiments,
  ): ExperimentGraph<Results<Experiments>>;
  static fromExperiments(...experiments: (Experiment | readonly Experiment[])[]): ExperimentGraph<object> {
    const origins = experiments.flat().map((experiment: Experiment | undefined) => {
      if (experiment?.origin !== undefined) return experiment.origin;
      throw new SettingsError('fromExperiments takes experiments, as defineExperiment gives them.');
    });
    return new ExperimentGraph(origins, resolveOrigins(origins));
  }

  /**
   * Writes the picture of a config.yaml's experiment and all that it reads.
   *
   * @param to path of the file; its extension, such as `.svg`, `.png` or `.html`, says what is written. Default: `graph.svg`
   * @returns the path
   */
  static async visualizeFromYaml(
    path: string,
    to = 'graph.svg',
    options: PictureOptions = {},
  ): Promise<string> {
    return ExperimentGraph.fromYaml(path).visualize(to, options);
  }

  /** The picture as text in Graphviz's language DOT. @throws SettingsError for an unknown treatment */
  toDot(options: PictureOptions = {}): string {
    return renderDot(pictureOf(this.resolved.graph, options));
  }

  /**
   * Writes the picture: experiments, what they read, and under a treatment the condition at which each one runs.
   *
   * @param to path of the file; its extension says what is written: `.svg`, `.png`, `.html`, `.dot`, `.mmd` or `.json`
   * @returns the path
   * @throws SettingsError for an unknown extension or treatment
   */
  async visualize(to: string, options: PictureOptions = {}): Promise<string> {
    const { writePicture } = await import('../picture/draw.ts');
    await writePicture(pictureOf(this.resolved.graph, options), to);
    return to;
  }

  /** Names of the experiments, upstream before downstream. */
  get order(): readonly string[] {
    return this.resolved.graph.order;
  }

  /** By experiment: the names of those that it reads directly. */
  get dependencies(): Readonly<Record<string, readonly string[]>> {
    const { experiments, order } = this.resolved.graph;
    const entries = order.map((name) => [name, [...(experiments.get(name)?.upstream ?? [])]] as const);
    return Object.assign(Object.create(null), Object.fromEntries(entries));
  }

  /** The conditions of an experiment, the baseline first. @throws SettingsError for an unknown name */
  conditions(experiment: string): readonly string[] {
    this.checkName(experiment);
    return conditionsOf(this.resolved.graph, experiment);
  }

  /** One experiment of the graph, to read its outputs or to debug it. @throws SettingsError for an unknown name */
  experiment(name: string): Experiment<Shape> {
    this.checkName(name);
    const { root, graph, functions } = this.resolved;
    const own = this.origins.find((origin) => origin.name === name);
    if (own === undefined && functions.has(name)) return new Experiment(this.definedUpstream(name));
    return new Experiment(own ?? { type: 'folder', name, root, graph });
  }

  /**
   * Runs what is missing and gives the results of every experiment. It does not reject when an experiment fails or when
   * the run is stopped: `status` and `errors` of the results say so.
   *
   * @throws SettingsError for options that are wrong
   */
  async run(options: GraphRunOptions = {}): Promise<R> {
    if (onlyDefines()) return new Promise(() => {});
    const { runGraph } = await import('./run-graph.ts');
    const results = await runGraph(this.resolved, options);
    return Object.assign(Object.create(null), Object.fromEntries(results)) as R;
  }

  /**
   * Runs the graph and gives what is finished while the rest still runs: replicates, conditions, and results of
   * experiments. Leaving the loop stops the run.
   *
   * @example
   * for await (const item of graph.stream()) if (item.type === 'replicate') console.log(item.metrics);
   */
  async *stream(options: GraphRunOptions = {}): AsyncGenerator<StreamItem, void, undefined> {
    if (onlyDefines()) await new Promise(() => {});
    const { streamGraph } = await import('./stream.ts');
    yield* streamGraph(this.resolved, options);
  }

  private checkName(name: string): void {
    if (this.resolved.graph.experiments.has(name)) return;
    const hint = suggestion(name, [...this.order], 'experiments');
    throw new SettingsError(`The graph has no experiment "${name}". ${hint}`);
  }

  private definedUpstream(name: string): ExperimentOrigin {
    const open = [...this.origins];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.name === name) return next;
      if (next.type === 'defined') open.push(...next.upstream);
    }
    throw new Error(`Bug: ${name} has no origin`);
  }
}

/** What a picture shows. */
export interface PictureOptions {
  /** Show the condition at which each experiment runs under this treatment. */
  readonly treatment?: string;
}
