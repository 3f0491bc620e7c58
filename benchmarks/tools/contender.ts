import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Job, Shape } from '../shapes.ts';

/** A process to time. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A tool that can run a shape. */
export interface Contender {
  readonly name: string;
  /** Writes what its user would write. @param root an empty folder */
  prepare(root: string, shape: Shape): void;
  /** Runs what is missing. */
  run(root: string): Command;
  /** What a job came to, for each replicate. @throws when there is no such result */
  values(root: string, job: Job): number[];
  /** How often it runs from nothing: in each round, once because it keeps something or takes minutes, or never. Default: `each`. */
  cold?(shape: Shape): 'each' | 'once' | 'never';
  /** A tool of others: when it breaks down on a shape, it is left out there. */
  readonly foreign?: true;
  /** Ends what it left running. */
  stop?(root: string): void;
}

export function writeFiles(root: string, files: Readonly<Record<string, string | object>>): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }
}

/** The environment of this process without what would steer a tool, or make each process of Node start slowly, as more certificates do. */
export function cleanEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(NX_|CI$|GITHUB_|GIT_|NODE_|FORCE_COLOR|INIT_CWD|npm_|WIREIT_|TURBO_|MAKE)/i.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...extra };
}
