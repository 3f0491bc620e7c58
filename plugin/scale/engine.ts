import { SettingsError } from '../base/settings-error.ts';

/** What a job may use; what is left out is the engine's own choice. */
export interface Resources {
  readonly partition?: string | undefined;
  /** As the engine writes it, such as `2:00:00`. */
  readonly time?: string | undefined;
  /** As the engine writes it, such as `8G`. */
  readonly memory?: string | undefined;
  readonly cpus: number;
  readonly account?: string | undefined;
  /** Further arguments of the engine's own command, handed through. */
  readonly extra: readonly string[];
}

/** A job to submit: one command, or an array of the same command that differs in its last argument. */
export interface Job {
  /** Tells our jobs from others that an engine may have given the same id. */
  readonly name: string;
  /** The program and its arguments; the name of the element is added as the last. */
  readonly command: readonly string[];
  /** Elements of an array, ascending, each at least 1; undefined: a single job, whose element is called `whole`. */
  readonly elements: readonly number[] | undefined;
  /** Ids of jobs that must have succeeded before. When one does not, this job never starts. */
  readonly after: readonly string[];
  /** Absolute path of a folder that exists: takes `<element>.log`. */
  readonly logs: string;
  /** Absolute path at which the engine may keep what it needs for the job, with endings of its choice. */
  readonly files: string;
  readonly resources: Resources;
}

/** Name of the only element of a job that is no array. */
export const WHOLE = 'whole';

export type ElementState =
  | 'pending'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  /** Never started, because a job before it did not succeed. */
  | 'skipped';

/** What an engine knows of one element of a job. */
export interface EngineElement {
  readonly job: string;
  /** `whole`, or the number of an array's element. */
  readonly element: string;
  readonly state: ElementState;
  /** In a few words, when the state alone does not say it: `its node failed`, `Resources`. */
  readonly detail: string;
  /** Where it runs or ran. */
  readonly host: string;
}

/** Nothing is known of jobs now: they may run, or not. */
export class SilentEngineError extends SettingsError {}

/** Nobody knows whether a job was taken. */
export class UncertainJobError extends SettingsError {}

/** Runs jobs somewhere else. An implementation plans nothing: what runs, and after what, is decided before. */
export interface Engine {
  /**
   * @returns the job's id
   * @throws SettingsError when the job is refused @throws UncertainJobError when the engine does not say what becomes of it
   */
  submit(job: Job): Promise<string>;
  /**
   * What is known of these jobs. An engine may forget jobs that ended long ago: they are left out.
   *
   * @throws SilentEngineError when the engine does not answer, but may later @throws SettingsError when there is none here
   */
  poll(jobs: readonly { readonly id: string; readonly name: string }[]): Promise<EngineElement[]>;
  /** Ends these jobs, whatever they do; those that have ended stay as they are. */
  cancel(jobs: readonly { readonly id: string; readonly name: string }[]): Promise<void>;
  /** Lets go of what it keeps of jobs that have ended. */
  forget(jobs: readonly { readonly id: string; readonly name: string }[]): Promise<void>;
  /** What `submit` would do, as text for a person, without doing it. `after` may hold anything. */
  describe(job: Job): string;
}
