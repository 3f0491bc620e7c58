import { posix } from 'node:path';
import type { ExperimentPlan, UsedOutput } from './experiment-plan.ts';

/**
 * The modules of an experiment in TypeScript.
 *
 * @param producers outputs module of each producer, undefined when it has none in TypeScript
 */
export function renderTypescript(
  plan: ExperimentPlan,
  producers: ReadonlyMap<string, string | undefined>,
): Map<string, string> {
  const files = new Map<string, string>();
  if (plan.modules.has('datasources')) files.set('datasources.ts', DATASOURCES);
  files.set('steps.ts', renderSteps(plan, producers));
  if (plan.modules.has('outputs')) files.set('outputs.ts', OUTPUTS);
  if (plan.modules.has('verifiers')) files.set('verifiers.ts', VERIFIERS);
  return files;
}

const DATASOURCES = `import type { StepContext } from 'nx-experiments';

/** Where the data comes from. \`ctx.random()\` is seeded: the same numbers in every condition. */
export function draw_numbers(ctx: StepContext): number[] {
  return Array.from({ length: 100 }, () => ctx.random());
}
`;

const OUTPUTS = `import { readFileSync } from 'node:fs';

export interface Summary {
  readonly size: number;
}

/** Turns a value into the text of the file. */
export function dump_summary(summary: Summary): string {
  return \`\${JSON.stringify(summary, null, 2)}\\n\`;
}

/** Reads the file back, here and in the experiments that use it. */
export function load_summary(path: string): Summary {
  return JSON.parse(readFileSync(path, 'utf8'));
}
`;

const VERIFIERS = `/** Values by metric. */
type Metrics = Readonly<Record<string, readonly number[]>>;

/** How much larger a metric is under the treatment, on average over the replicates. */
export function mean_difference(baseline: Metrics, treatment: Metrics) {
  const [metric = ''] = Object.keys(baseline);
  return { difference: mean(treatment[metric] ?? []) - mean(baseline[metric] ?? []) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
`;

/** Whatever it is that upstream has written: what a treatment changes there is seen here. */
const TOTAL = `/** All numbers in a value added up; text and bytes count with their length. */
function total(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, part) => sum + total(part), 0);
}
`;

function renderSteps(plan: ExperimentPlan, producers: ReadonlyMap<string, string | undefined>): string {
  const writes = plan.modules.has('outputs') || (plan.example && plan.uses.length === 0);
  const { imports, types } = inputTypes(plan, producers);
  const data = plan.uses.length === 0 ? 'numbers: number[]' : 'inputs: Inputs';
  const size =
    plan.uses.length === 0
      ? 'numbers.reduce((sum, x) => sum + scale * x, 0) / numbers.length'
      : 'scale * total(inputs)';
  const name = plan.uses.length === 0 ? 'numbers' : 'inputs';
  const body = writes
    ? `async (${data}, { scale }, ctx) => {
  const size = ${size};
  await ctx.artifact('summary').write({ size });
  return withMetrics(${name}, { size });
}`
    : `(${data}, { scale }) => {
  const size = ${size};
  return withMetrics(${name}, { size });
}`;
  const doc =
    plan.uses.length === 0
      ? '/** Parameters with their defaults come first; a treatment gives them other values. */'
      : '/** Gets what the datasources of config.yaml read, by alias. Replace the size by what you want to know. */';
  return [
    `import { defineStep, withMetrics } from 'nx-experiments';`,
    ...imports,
    '',
    ...types,
    doc,
    `export const summarize = defineStep({ scale: 1 }, ${body});`,
    '',
    ...(plan.uses.length === 0 ? [] : [TOTAL]),
  ].join('\n');
}

function inputTypes(
  { uses, folder }: ExperimentPlan,
  producers: ReadonlyMap<string, string | undefined>,
): { imports: string[]; types: string[] } {
  if (uses.length === 0) return { imports: [], types: [] };
  const imports: string[] = [];
  const taken = new Set<string>();
  const properties = uses.map((use) => {
    const { alias, producer, output } = use;
    const module = producers.get(producer.name.value);
    const loader = output.loader;
    const own =
      module !== undefined && loader !== undefined && !isBuiltIn(loader) && /^[A-Za-z_$][\w$]*$/.test(loader);
    if (!own) return `  readonly ${property(alias)}: ${builtInType(use)};`;
    const local = taken.has(loader) ? `${loader}_${taken.size}` : loader;
    taken.add(local);
    // The ending .js means the TypeScript file, whatever the resolution of modules.
    const from = posix.relative(folder, module).replace(/\.(m?)ts$/, '.$1js');
    const names = local === loader ? loader : `${loader} as ${local}`;
    imports.push(`import type { ${names} } from '${from.startsWith('.') ? from : `./${from}`}';`);
    return `  readonly ${property(alias)}: Awaited<ReturnType<typeof ${local}>>;`;
  });
  return { imports, types: ['interface Inputs {', ...properties, '}', ''] };
}

function isBuiltIn(loader: string): boolean {
  return ['load_json', 'load_text', 'load_bytes'].includes(loader);
}

function builtInType({ output }: UsedOutput): string {
  if (output.loader === 'load_text') return 'string';
  return output.loader === undefined || output.loader === 'load_bytes' ? 'Uint8Array' : 'unknown';
}

function property(alias: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(alias) ? alias : `'${alias}'`;
}
