import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deltaOf, type Job } from '../shapes.ts';

/** Where a job of a shell line leaves its values, one a line. */
export function outputOf(experiment: string, condition: string): string {
  return `experiments/${experiment}/results/${condition}/value.txt`;
}

export function inputsOf({ experiment, condition }: Job): string[] {
  return experiment.reads.map((read) => outputOf(read, condition));
}

/**
 * A line of POSIX shell that adds up its inputs, replicate by replicate, without starting any further process but `mkdir`.
 *
 * @param up path from where it runs to the root, such as `../..`
 */
export function shellLine(job: Job, up = '.'): string {
  const { experiment, condition } = job;
  const output = `${up}/${outputOf(experiment.name, condition)}`;
  const inputs = inputsOf(job).map((input) => `${up}/${input}`);
  const names = inputs.map((_, i) => `x${i}`);
  const read = inputs.map((input, i) => `exec ${i + 3}< ${input}; `).join('');
  const body = `${names.map((name, i) => `read ${name} <&${i + 3}; `).join('')}echo $((${[...names, deltaOf(condition)].join(' + ')}))`;
  const loop = Array.from({ length: experiment.replicates }, () => body).join('; ');
  return `mkdir -p ${output.replace(/\/value\.txt$/, '')}; ${read}{ ${loop}; } > ${output}`;
}

/** A line that puts the results of all conditions together. */
export function comparisonLine(folder: string): string {
  return `mkdir -p ${folder}/results/report; cat ${folder}/results/*/value.txt > ${folder}/results/report/all.txt`;
}

export function shellValues(root: string, { experiment, condition }: Job): number[] {
  return readFileSync(join(root, outputOf(experiment.name, condition)), 'utf8')
    .trim()
    .split('\n')
    .map(Number);
}
