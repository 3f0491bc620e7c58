import type { Installation } from './installation.ts';
import type { PythonSetup } from './python.ts';

/** What a workflow is made from. */
export interface CiSettings {
  readonly branch: string;
  readonly target: string;
  readonly install: Installation;
  /** Undefined where no experiment is written in Python. */
  readonly python: PythonSetup | undefined;
}

/** How the work is spread. */
export interface SpreadSettings extends CiSettings {
  /** Most jobs of a level. */
  readonly jobs: number;
  /** Levels that a GitHub workflow has, whose jobs are fixed; GitLab's are made as they are needed. */
  readonly levels: number;
}

export function indent(lines: readonly string[], by: number): string {
  return lines.map((line) => `${' '.repeat(by)}${line}`.trimEnd()).join('\n');
}
