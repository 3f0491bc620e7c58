import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expectedValues, jobsOf, type Shape } from './shapes.ts';
import type { Command, Contender } from './tools/contender.ts';

/** Seconds of one contender, one for each round; NaN where it did not run. */
export interface Samples {
  readonly name: string;
  readonly cold: number[];
  readonly nothing: number[];
}

/** Runs a command to its end. @returns seconds. @throws what it wrote, when it fails */
export function time({ command, args, env }: Command, cwd: string): number {
  const startedAt = performance.now();
  const options = { cwd, env, encoding: 'utf8', maxBuffer: 2 ** 30 } as const;
  const { status, stdout, stderr, error } = spawnSync(command, [...args], options);
  const seconds = (performance.now() - startedAt) / 1000;
  if (status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}\n${error?.message ?? ''}${stdout.slice(-3000)}${stderr.slice(-3000)}`,
    );
  return seconds;
}

/**
 * Runs each contender from nothing, and again when there is nothing to do, one after the other in each round, so that what
 * else the machine does hits all of them alike. The first round warms up, and does not count.
 *
 * @param folder an empty one on a fast file system
 */
export function compare(
  shape: Shape,
  contenders: readonly Contender[],
  rounds: number,
  folder: string,
): Samples[] {
  const all = contenders.map(({ name }): Samples => ({ name, cold: [], nothing: [] }));
  const running = new Set(contenders.filter((contender) => contender.cold?.(shape) !== 'never'));
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const contender of running) {
        const root = join(folder, String(contenders.indexOf(contender)));
        const samples = all[contenders.indexOf(contender)] as Samples;
        try {
          const once = contender.cold?.(shape) === 'once';
          const { cold, nothing } = measure(contender, root, shape, round === 0 || !once);
          if (round > 0 || once) samples.cold.push(cold);
          if (round > 0) samples.nothing.push(nothing);
        } catch (error) {
          if (!contender.foreign) throw error;
          process.stderr.write(
            `\n${contender.name} is left out of this shape: ${(error as Error).message}\n`,
          );
          running.delete(contender);
          samples.cold.length = 0;
          samples.nothing.length = 0;
        }
        process.stderr.write('.');
      }
    }
  } finally {
    process.stderr.write('\n');
    for (const contender of contenders) {
      const root = join(folder, String(contenders.indexOf(contender)));
      contender.stop?.(root);
      removeRoot(root);
    }
  }
  return all;
}

/** Runs it once, from nothing when it is to be fresh, and again with nothing to do. */
function measure(
  contender: Contender,
  root: string,
  shape: Shape,
  fresh: boolean,
): { readonly cold: number; readonly nothing: number } {
  let cold = Number.NaN;
  if (fresh) {
    removeRoot(root);
    mkdirSync(root, { recursive: true });
    contender.prepare(root, shape);
    cold = time(contender.run(root), root);
    check(contender, root, shape);
  }
  const nothing = time(contender.run(root), root);
  check(contender, root, shape);
  return { cold, nothing };
}

/** @throws when a result is not what it has to be: a fast wrong answer is no answer */
function check(contender: Contender, root: string, shape: Shape): void {
  const expected = expectedValues(shape);
  for (const job of jobsOf(shape)) {
    const id = `${job.experiment.name}/${job.condition}`;
    const [got, wanted] = [contender.values(root, job), expected.get(id)].map(String);
    if (got !== wanted) throw new Error(`${contender.name} came to ${got} for ${id} instead of ${wanted}.`);
  }
}

/** A workspace with what Nx keeps beside it. */
function removeRoot(root: string): void {
  for (const path of [root, `${root}.nx`]) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Of the numbers among the values; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
}

/** Median of the ratios of rounds, which ran side by side. */
export function ratio(of: readonly number[], to: readonly number[]): number {
  return median(of.map((value, i) => value / (to[i] ?? Number.NaN)));
}
