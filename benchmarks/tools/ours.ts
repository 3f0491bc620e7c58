import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deltaOf, type Job, type Shape } from '../shapes.ts';
import { type Contender, cleanEnv, writeFiles } from './contender.ts';
import { type NxMode, nxCommand, nxFiles, nxStop } from './nx-command.ts';

const RUN_GRAPH = fileURLToPath(new URL('../run-graph.mjs', import.meta.url));

const TYPES = `
interface Context {
  readonly params: { readonly delta: number };
  readonly metrics: { add(name: string, value: number): void };
  artifact(name: string): { write(value: unknown): Promise<void> };
}`;

/** @param typed in TypeScript, which a compiler has to read first, and with a metric, which a report has to show */
function stepsModule(typed: boolean): string {
  const types = typed ? { data: ': Record<string, number>', ctx: ': Context' } : { data: '', ctx: '' };
  return `${typed ? TYPES : ''}
export const add = async (data${types.data}, ctx${types.ctx}) => {
  const value = Object.values(data).reduce((sum, input) => sum + input, ctx.params.delta);
${typed ? "  ctx.metrics.add('value', value);\n" : ''}  await ctx.artifact('value').write(value);
  return value;
};
`;
}

/** A folder for each experiment, as our users write them. */
export function writeExperiments(root: string, { experiments }: Shape, typed = false): void {
  const extension = typed ? 'ts' : 'mjs';
  for (const { name, reads, conditions, replicates } of experiments) {
    const config = {
      replicates,
      params: { delta: deltaOf('baseline') },
      ...(reads.length === 0
        ? { datasource: { zero: 'zero', none: 'zero' } }
        : { datasource: Object.fromEntries(reads.map((read, i) => [`x${i}`, `${read}#value`])) }),
      steps: ['add'],
      outputs: { value: { file_name: 'value.json', writer: 'dump_json', loader: 'load_json' } },
      treatments: Object.fromEntries(
        conditions.map((condition) => [
          condition,
          condition === 'baseline' ? {} : { delta: deltaOf(condition) },
        ]),
      ),
    };
    writeFiles(root, {
      [`experiments/${name}/config.yaml`]: toYaml(config),
      [`experiments/${name}/steps.${extension}`]: stepsModule(typed),
      ...(reads.length === 0
        ? { [`experiments/${name}/datasources.${extension}`]: 'export const zero = () => 0;\n' }
        : {}),
    });
  }
}

export function ourValues(root: string, { experiment, condition }: Job): number[] {
  return Array.from({ length: experiment.replicates }, (_, replicate) =>
    Number(
      readFileSync(
        join(
          root,
          `experiments/${experiment.name}/results/${condition}/artifacts/replicate_${replicate}/value.json`,
        ),
        'utf8',
      ),
    ),
  );
}

/** Our plugin in an Nx workspace. */
export function ours(options: { readonly mode?: NxMode; readonly typed?: boolean } = {}): Contender {
  const { mode, typed } = options;
  return {
    name: `nx-experiments${typed ? ', TypeScript, a metric' : ''}${mode ? `, ${mode}` : ''}`,
    prepare: (root, shape) => {
      writeFiles(root, nxFiles(['nx-experiments']));
      writeExperiments(root, shape, typed);
      linkPackages(root);
    },
    run: (root) => nxCommand(root, ['run-many', '-t', 'experiment'], mode),
    values: ourValues,
    // With a daemon nothing is cold; how plugins are loaded shows where nothing is to do.
    cold: () => (mode === undefined ? 'each' : 'once'),
    stop: (root) => nxStop(root, mode),
  };
}

/** The same folders without Nx: `ExperimentGraph.fromYaml(...).run()` in a process of its own. */
export const oursWithoutNx: Contender = {
  name: 'nx-experiments without Nx',
  prepare: (root, shape) => {
    writeFiles(root, { 'package.json': { name: 'bench', private: true, type: 'module' } });
    writeExperiments(root, shape);
    linkPackages(root);
  },
  run: (root) => ({ command: process.execPath, args: [RUN_GRAPH, root], env: cleanEnv() }),
  values: ourValues,
};

const PACKAGES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** One by one, so that what a compiler keeps in node_modules/.cache is new as well. */
export function linkPackages(root: string): void {
  const folder = join(root, 'node_modules');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(PACKAGES)) {
    if (name !== '.cache') symlinkSync(join(PACKAGES, name), join(folder, name));
  }
}

/** YAML as a person lays it out: a mapping a line. */
function toYaml(value: object, indent = ''): string {
  return Object.entries(value)
    .map(([key, item]) =>
      typeof item === 'object' && !Array.isArray(item) && Object.keys(item).length > 0
        ? `${indent}${key}:\n${toYaml(item, `${indent}  `)}`
        : `${indent}${key}: ${JSON.stringify(item)}\n`,
    )
    .join('');
}
