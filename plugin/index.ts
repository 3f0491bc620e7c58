/** The entry that the users' modules import: it loads nothing heavy before it is asked to. */
export { ArtifactDatasource, ExperimentInput } from './api/artifact-datasource.ts';
export type { DebugOptions, DebugResult } from './api/debug.ts';
export { defineExperiment } from './api/define-experiment.ts';
export { Experiment } from './api/experiment.ts';
export { ExperimentGraph } from './api/experiment-graph.ts';
export type * from './api/experiment-options.ts';
export type * from './api/result.ts';
export type { GraphRunOptions } from './api/run-options.ts';
export { jsonOutput, type OutputDefinition } from './api/shape.ts';
export type { StreamItem } from './api/stream.ts';
export { SettingsError } from './base/settings-error.ts';
export type { PluginOptions } from './nx/plugin-options.ts';
export { createDependencies, createNodes, createNodesV2, name } from './plugin.ts';
export {
  type Artifact,
  type Datasource,
  defineDatasource,
  defineStep,
  required,
  type Step,
  type StepContext,
  type WithMetrics,
  withMetrics,
} from './runtime/context.ts';
export type { RunEvent } from './runtime/events.ts';
