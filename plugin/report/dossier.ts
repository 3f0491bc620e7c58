import type { JsonObject } from '../base/json.ts';
import type { ReportModel } from './model.ts';
import type { RunLog } from './run-log.ts';

/** Everything that is known of an experiment's results: what the page and the research object show. */
export interface Dossier {
  readonly report: ReportModel;
  /** Version of this package that writes the reports. */
  readonly version: string;
  /** Each with its arguments, such as `train {"epochs":10}`. */
  readonly steps: readonly string[];
  /** By condition. Conditions whose log is gone have none. */
  readonly logs: ReadonlyMap<string, RunLog>;
  readonly artifacts: readonly DossierArtifact[];
  readonly upstream: readonly UpstreamExperiment[];
  /** Picture of the upstream experiments; undefined when there are none. */
  readonly graphSvg: string | undefined;
  /** Upstream experiments that are too far away for the picture. */
  readonly graphLeftOut: number;
  /** The experiment's own files of code; empty without a run store. */
  readonly sources: readonly SourceFile[];
}

export interface DossierArtifact {
  readonly condition: string;
  readonly replicate: number;
  /** Name of the output. */
  readonly output: string;
  /** Relative to the results folder, with forward slashes, as the file system has it: not encoded. */
  readonly path: string;
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
  /** `data:image/…;base64,…` of an image to be shown inline. */
  readonly image: string | undefined;
}

/** An experiment that is read, directly or not. Upstream before downstream. */
export interface UpstreamExperiment {
  readonly name: string;
  /** By condition of the reported experiment: the condition at which this one is read; absent where it is not read. */
  readonly conditions: Readonly<Record<string, string>>;
  /** By condition of the reported experiment: its context values there, as its config says at the time of the report. */
  readonly parameters: Readonly<Record<string, JsonObject>>;
  /** Artifacts that the reported experiment itself reads. */
  readonly artifacts: readonly UpstreamArtifact[];
}

export interface UpstreamArtifact {
  readonly condition: string;
  readonly replicate: number;
  readonly output: string;
  readonly fileName: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface SourceFile {
  /** Relative to the workspace root, with forward slashes. */
  readonly path: string;
  readonly sha256: string;
}
