import { join } from 'node:path';
import { artifactsFolder } from '../io/condition-folder.ts';
import { findTsconfig, modulesOf } from '../io/modules.ts';
import type { ConditionJob, JobSource } from '../workers/protocol.ts';
import type { PlannedCondition, PlannedSource } from './plan.ts';

/** A planned condition with the modules and paths of this machine. */
export function conditionJob(
  planned: PlannedCondition,
  root: string,
  artifacts: string,
  inline: boolean,
): ConditionJob {
  const folder = join(root, planned.folder);
  const { datasources, steps, outputs } = modulesOf(folder, planned.experiment, planned.definition);
  return {
    id: planned.id,
    worker: { type: inline ? 'inline' : 'node' },
    experiment: planned.experiment,
    condition: planned.condition,
    root,
    folder,
    tsconfig: findTsconfig(root, folder),
    modules: { datasources, steps, outputs },
    context: planned.context,
    sources: planned.sources.map((source) => jobSource(source, root)),
    bareSource: planned.bareSource,
    steps: planned.steps.map(({ name, args }) => ({ name, args })),
    outputs: planned.outputs.map(({ alias, fileName, writer }) => ({ alias, fileName, writer })),
    artifacts,
  };
}

function jobSource(source: PlannedSource, root: string): JobSource {
  if (source.type === 'function') {
    const { type, alias, name, args } = source;
    return { type, alias, name, args };
  }
  const { loader, fileName } = source.output;
  const { outputs } = modulesOf(
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
    task: `${source.experiment}:experiment--${source.condition}`,
  };
}
