import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobsOf, type Shape } from '../shapes.ts';
import { type Contender, cleanEnv, writeFiles } from './contender.ts';
import { inputsOf, outputOf, shellLine, shellValues } from './shell.ts';

const CORES = String(availableParallelism());

/** Tools that are compared with, and no part of this repository. */
const TOOLS = join(tmpdir(), 'nx-experiments-bench-tools');
const VERSIONS = { wireit: '0.14', turbo: '2.11' };

/** Installs wireit and turbo in a temporary folder, once. */
export function installTools(): void {
  if (existsSync(join(TOOLS, 'node_modules/.bin/turbo'))) return;
  mkdirSync(TOOLS, { recursive: true });
  writeFiles(TOOLS, { 'package.json': { name: 'bench-tools', private: true } });
  const packages = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
  execFileSync('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: TOOLS, stdio: 'ignore' });
}

/** The version of a command, or undefined when it is not installed. */
function versionOf(command: string): string | undefined {
  try {
    const text = execFileSync(command, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /\d+(?:\.\d+)+/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}

function packageVersion(name: string): string {
  return JSON.parse(readFileSync(join(TOOLS, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Those of make, snakemake, wireit and turbo that this machine has. */
export function otherTools(): Contender[] {
  const make = versionOf('make');
  const snakemake = versionOf('snakemake');
  return [
    ...(make === undefined ? [] : [gnuMake(make)]),
    ...(snakemake === undefined ? [] : [snakemakeOf(snakemake)]),
    wireit(packageVersion('wireit')),
    turbo(packageVersion('turbo')),
  ].map((contender) => ({ ...contender, foreign: true as const }));
}

function gnuMake(version: string): Contender {
  return {
    name: `GNU make ${version}`,
    prepare: (root, shape) => {
      const jobs = jobsOf(shape);
      const outputs = jobs.map((job) => outputOf(job.experiment.name, job.condition));
      const rules = jobs.map(
        (job, i) =>
          `${outputs[i]}: ${inputsOf(job).join(' ')}\n\t@${shellLine(job).replaceAll('$', '$$$$')}\n`,
      );
      writeFiles(root, { Makefile: `all: ${outputs.join(' ')}\n\n${rules.join('\n')}` });
    },
    run: () => ({ command: 'make', args: [`-j${CORES}`], env: cleanEnv() }),
    values: shellValues,
  };
}

function snakemakeOf(version: string): Contender {
  return {
    name: `snakemake ${version}, greedy`,
    prepare: (root, shape) => {
      const jobs = jobsOf(shape).map(
        (job) =>
          [
            outputOf(job.experiment.name, job.condition),
            { inputs: inputsOf(job), line: shellLine(job) },
          ] as const,
      );
      writeFiles(root, { 'jobs.json': Object.fromEntries(jobs), Snakefile: SNAKEFILE });
    },
    run: () => ({
      command: 'snakemake',
      args: ['-j', CORES, '--scheduler', 'greedy', '--quiet'],
      env: cleanEnv(),
    }),
    values: shellValues,
  };
}

const SNAKEFILE = `
import json
JOBS = json.load(open("jobs.json"))
OUTPUT = "experiments/{name}/results/{condition}/value.txt"

def job(w):
    return JOBS[OUTPUT.format(name=w.name, condition=w.condition)]

rule all:
    input: list(JOBS)

rule job:
    input: lambda w: job(w)["inputs"]
    output: OUTPUT
    params: line=lambda w: job(w)["line"]
    shell: "{params.line}"
`;

function wireit(version: string): Contender {
  return {
    name: `wireit ${version}`,
    prepare: (root, shape) => {
      const jobs = jobsOf(shape);
      const scripts = jobs.map(({ experiment, condition }) => `${experiment.name}:${condition}`);
      const entries = jobs.map((job, i) => [
        scripts[i],
        {
          command: shellLine(job),
          dependencies: job.experiment.reads.map((read) => `${read}:${job.condition}`),
          files: [],
          output: [outputOf(job.experiment.name, job.condition)],
        },
      ]);
      writeFiles(root, {
        'package.json': {
          name: 'bench',
          private: true,
          scripts: Object.fromEntries([...scripts, 'all'].map((name) => [name, 'wireit'])),
          wireit: { ...Object.fromEntries(entries), all: { dependencies: scripts } },
        },
      });
      linkTools(root);
    },
    run: () => ({ command: 'npm', args: ['run', '--silent', 'all'], env: cleanEnv() }),
    values: shellValues,
  };
}

function turbo(version: string): Contender {
  return {
    name: `turbo ${version}`,
    // It starts npm for every task: what B4 takes is more than the rest of the suite together.
    cold: ({ experiments }) =>
      experiments.length <= 2 ? 'each' : experiments.length <= 200 ? 'once' : 'never',
    prepare: (root, shape) => {
      writeFiles(root, turboFiles(shape));
      linkTools(root);
    },
    run: (root) => ({
      command: join(root, 'node_modules/.bin/turbo'),
      args: ['run', 'baseline', 'high', `--concurrency=${CORES}`, '--output-logs=none'],
      env: cleanEnv({ TURBO_TELEMETRY_DISABLED: '1' }),
    }),
    values: shellValues,
  };
}

function turboFiles({ experiments }: Shape): Record<string, object> {
  const tasks = ['baseline', 'high'].map((condition) => [
    condition,
    { dependsOn: [`^${condition}`], inputs: ['package.json'], outputs: [`results/${condition}/**`] },
  ]);
  const packages = experiments.map((experiment) => {
    const { name, reads, conditions } = experiment;
    const scripts = conditions.map((condition) => [condition, shellLine({ experiment, condition }, '../..')]);
    const dependencies = Object.fromEntries(reads.map((read) => [read, '*']));
    return [
      `experiments/${name}/package.json`,
      { name, version: '1.0.0', private: true, scripts: Object.fromEntries(scripts), dependencies },
    ];
  });
  return {
    'package.json': {
      name: 'bench',
      private: true,
      packageManager: `npm@${versionOf('npm')}`,
      workspaces: ['experiments/*'],
    },
    'turbo.json': { tasks: Object.fromEntries(tasks) },
    ...Object.fromEntries(packages),
  };
}

function linkTools(root: string): void {
  symlinkSync(join(TOOLS, 'node_modules'), join(root, 'node_modules'));
}
