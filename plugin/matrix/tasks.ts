/** A task that is to be spread over machines. */
export interface MatrixTask {
  /** As Nx names it: `project:target`. */
  readonly id: string;
  readonly project: string;
  readonly target: string;
  /** Ids of the tasks in this list that must have finished before; of others, it is not known that they matter. */
  readonly waitsFor: readonly string[];
  readonly estimatedMs: number;
  /** Whether the estimate comes from replicates that have finished, here or in conditions like it. */
  readonly isMeasured: boolean;
}

/** What one machine of the matrix does, by itself, at one level. */
export interface MatrixJob {
  /** From 1. */
  readonly level: number;
  /** From 1, in its level. */
  readonly job: number;
  /** By id; Nx puts them in order. */
  readonly tasks: readonly MatrixTask[];
  readonly estimatedMs: number;
}
