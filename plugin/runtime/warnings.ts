import { posix } from 'node:path';
import type { RunEvent } from './events.ts';
import { type PlannedCondition, RESULTS } from './plan.ts';

/** What a user should know of a condition, though it runs. */
export interface Warning {
  /** Warnings of one experiment about the same are one: the first. */
  readonly about: string;
  readonly text: string;
}

/** Those of one run. */
export class Warnings {
  private readonly told = new Set<string>();

  constructor(private readonly onEvent: (event: RunEvent) => void) {}

  /** Tells it, once for each experiment. */
  tell(planned: PlannedCondition, { about, text }: Warning): void {
    const key = `${planned.experiment}\0${about}`;
    if (this.told.has(key)) return;
    this.told.add(key);
    this.onEvent({ type: 'warning', planned, text });
  }
}

export function workerTerminated(): Warning {
  return {
    about: 'SIGTERM',
    text: 'the run was stopped, because a worker process was sent SIGTERM: by a step, or by what watches over this machine, such as its memory. Run again to go on',
  };
}

export function inputWithoutFiles(glob: string): Warning {
  const hint = /[()]/.test(glob) ? '; a "(" or ")" of a name is written "[(]" or "[)]" beside a "*"' : '';
  return { about: glob, text: `the input "${glob}" matches no file${hint}` };
}

export function undeclaredVariable(name: string, file: string): Warning {
  return {
    about: `{ env: ${name} }`,
    text: `${file} reads the environment variable ${name}, and a change of it goes unnoticed: declare { env: ${name} } under "inputs"`,
  };
}

/** One for each folder. @param paths of files that were read and folders that were listed, relative to the root */
export function undeclaredReads(planned: PlannedCondition, paths: readonly string[]): Warning[] {
  const folders = new Map(paths.map((path) => [posix.dirname(path), [] as string[]]));
  // A folder that was listed goes with its files.
  for (const path of paths) if (!folders.has(path)) folders.get(posix.dirname(path))?.push(path);
  const withFiles = [...folders].filter(([, files]) => files.length > 0);
  return withFiles.map(([folder, [first = folder, ...others]]) => {
    const isOne = others.length === 0;
    const what = isOne ? first : `${others.length + 1} files of ${folder}`;
    const where = isResult(planned, first)
      ? 'neither declared under "inputs" nor referred to under "datasource"'
      : 'not declared under "inputs"';
    const text = `reads ${what}, which ${isOne ? 'is' : 'are'} ${where}: Nx does not notice a change of ${isOne ? 'it' : 'them'}`;
    return { about: folder, text };
  });
}

/** Whether a path lies among the results of whatever experiment: Nx looks at none of them. */
export function isResult({ results }: PlannedCondition, path: string): boolean {
  return `/${path}`.includes(`/${RESULTS}/`) || path.startsWith(`${results}/`);
}

/** @param path absolute */
export function readOutside(path: string): Warning {
  return {
    about: 'outside',
    text: `reads ${path}, outside of the workspace: a change of it goes unnoticed. Copied into the workspace it can be declared under "inputs"`,
  };
}

export function tooManyReads(most: number): Warning {
  return {
    about: 'too many',
    text: `reads more than ${most} files that are not declared under "inputs": too many to keep track of, so that everything runs again each time`,
  };
}

/** Nobody knows which replicates have read the file as it was, and which as it is. */
export function writtenMeanwhile(path: string): Warning {
  return {
    about: 'written meanwhile',
    text: `reads ${path}, which was written to after that and is not declared under "inputs": what finishes from then on is not kept`,
  };
}

/** @param files of code, the first of which is named */
export function hiddenCode([first, ...others]: readonly string[]): Warning[] {
  if (first === undefined) return [];
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  return [
    {
      about: `${first} is hidden`,
      text: `imports ${first}${more}, which an ignore file hides: Nx does not notice a change of it`,
    },
  ];
}

export function linkedInput(path: string, target: string): Warning {
  return { about: path, text: `the input ${path} is a link to ${target}: Nx does not notice a change there` };
}
