import { join } from 'node:path';
import { sortKeys } from '../../base/json.ts';
import type { ExperimentConfig } from '../../config/config.ts';
import { languageOf, type ModuleFinder, runsIn } from '../../io/code/modules.ts';
import type { Interpreters } from '../../io/python/interpreter.ts';
import { artifactsFolder } from '../../io/writing/condition-folder.ts';
import type { ConditionJob, JobSource, WorkerSpec } from '../../workers/protocol.ts';
import { floatsOf, type PlannedCondition, type PlannedSource } from '../plan.ts';

/** What runs the replicates of a condition. @throws ReplicateError when there is no usable interpreter */
export async function workerOf(
  planned: PlannedCondition,
  root: string,
  interpreters: Interpreters,
  finder: ModuleFinder,
): Promise<WorkerSpec> {
  const folder = join(root, planned.folder);
  const modules = finder.modulesOf(folder, planned.experiment, planned.definition);
  if (runsIn(modules) === 'node') return { type: 'node' };
  const { executable } = await interpreters.of(planned.folder, planned.execution.python);
  return { type: 'python', command: executable };
}

/** What applies the verifiers of a module. @throws ReplicateError when there is no usable interpreter */
export async function verifierOf(
  module: string | undefined,
  { folder, execution }: Pick<ExperimentConfig, 'folder' | 'execution'>,
  interpreters: Interpreters,
): Promise<WorkerSpec> {
  if (module === undefined || languageOf(module) === 'node') return { type: 'node' };
  return { type: 'python', command: (await interpreters.of(folder, execution.python)).executable };
}

/** A planned condition with the modules and paths of this machine. */
export function conditionJob(
  planned: PlannedCondition,
  root: string,
  artifacts: string,
  worker: WorkerSpec,
  finder: ModuleFinder,
): ConditionJob {
  const folder = join(root, planned.folder);
  const { datasources, steps, outputs } = finder.modulesOf(folder, planned.experiment, planned.definition);
  return {
    id: planned.id,
    worker,
    experiment: planned.experiment,
    condition: planned.condition,
    root,
    folder,
    tsconfig: finder.tsconfigOf(folder),
    modules: { datasources, steps, outputs },
    // The order in which keys were written is part of no result: nobody sees it.
    context: sortKeys(planned.context),
    ...(worker.type === 'python' ? { floats: floatsOf(planned) } : {}),
    sources: planned.sources.map((source) => jobSource(source, finder)),
    bareSource: planned.bareSource,
    steps: planned.steps.map(({ name, args }) => ({ name, args: sortKeys(args) })),
    outputs: planned.outputs.map(({ alias, fileName, writer }) => ({ alias, fileName, writer })),
    artifacts,
  };
}

function jobSource(source: PlannedSource, finder: ModuleFinder): JobSource {
  if (source.type === 'function') {
    const { type, alias, name, args } = source;
    return { type, alias, name, args: sortKeys(args) };
  }
  const { loader, fileName } = source.output;
  const { root } = finder;
  const { outputs } = finder.modulesOf(
    join(root, source.upstreamFolder),
    source.experiment,
    source.upstreamDefinition,
  );
  return {
    type: 'artifact',
    alias: source.alias,
    artifacts: artifactsFolder(join(root, source.upstreamResults), source.condition),
    fileName,
    replicates: source.upstreamReplicates,
    loader: loader === undefined ? undefined : { module: outputs, name: loader },
    experiment: source.experiment,
    condition: source.condition,
  };
}
