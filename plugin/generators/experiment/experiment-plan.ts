import type { ExperimentConfig, OutputEntry } from '../../config/config.ts';
import type { ModuleKind } from '../../io/code/modules.ts';

/** An output of another experiment that the new one reads. */
export interface UsedOutput {
  /** Name of the datasource. */
  readonly alias: string;
  readonly producer: ExperimentConfig;
  readonly output: OutputEntry;
}

/** What is to be created. */
export interface ExperimentPlan {
  readonly name: string;
  readonly folder: string;
  readonly description: string | undefined;
  readonly example: boolean;
  readonly uses: readonly UsedOutput[];
  readonly modules: ReadonlySet<ModuleKind>;
}
