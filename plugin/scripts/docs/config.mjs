import { CONFIG_SCHEMA } from '../../build/config/schema.js';
import { flow } from '../../build/config/validate.js';

const TYPES = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: '`true` or `false`',
  array: 'list',
  object: 'mapping',
};

const INTRODUCTION = `<!-- Written by "npm run docs" from the schema in plugin/config/schema.ts. -->

# config.yaml

A folder with a \`config.yaml\` (or \`config.yml\`) is an experiment. Its functions are exports of modules beside it:
\`datasources\`, \`steps\`, \`outputs\` and \`verifiers\`. A key that is not listed here is an error that names the
nearest one; [diagnostics.md](diagnostics.md) lists all errors.

For completion in an editor, begin the file with
\`# yaml-language-server: $schema=../../node_modules/nx-experiments/dist/config.schema.json\`.
`;

const EXAMPLE = `## An example with everything

Only \`datasource\` and \`steps\` are required.

\`\`\`yaml
name: consumer                         # default: the name of the folder
description: Does a higher rate help?
replicates: 12                         # default: as many as the upstream has, else 1
seed: 42                               # default: 0
params: { epochs: 10 }                 # values that every condition shares
inputs:                                # what else a run reads
  - data/*.csv                         #   relative to this folder
  - "{workspaceRoot}/datasets/x.csv"   #   relative to the workspace
  - { env: MODEL }                     #   an environment variable
datasource:
  raw: load_csv                        # a function of datasources
  big: { load_csv: { path: big.csv } } # the same with arguments
  summary: producer#summary            # an output of another experiment
steps:
  - inspect_summary                    # a function of steps
  - clean: { drop_nulls: true }        # one with arguments
outputs:
  report: { file_name: report.json, writer: dump_json, loader: load_json }
treatments:
  baseline: { learning_rate: 0.01 }    # for the baseline only
  high_lr: { learning_rate: 0.05 }     # a condition
  other_data:                          # a condition that reads something else
    datasource: { summary: other#summary }
hypotheses:
  - { name: better, verifier: welch_t_test, metrics: accuracy }
cli: { group: Training, priority: 10, icon: "🧪", color: "#85C1E9" }
execution: { workers: 4, timeout: 10m, retries: 1 }
\`\`\`
`;

const RULES = `## Rules

### Where a parameter's value comes from

In this order: the arguments of the step in \`steps\` (or of the datasource in \`datasource\`), else the context, else the
default of the function. The context is the condition's own values over \`params\`. When none of these has a value, the
replicate fails with an error that names the parameter and the step.

A datasource in Python takes its default before the context, as [Crystallize](../crystallize.md) has it: give it what a treatment changes as an
argument, \`datasource: { sample: { draw: { noise: 0.1 } } }\`. A value that so has no effect is warned about.

### Conditions

\`baseline\` is a condition of every experiment, and each treatment is another. The values below \`baseline\` are those of the
baseline only: a treatment does not inherit them. What all conditions share belongs in \`params\`.

### Seeds

Replicate i gets the seed \`(seed + i * 31337) mod 2^32\`, counted from 0. The condition is not in it, so that replicate i of
a treatment and replicate i of the baseline have the same seed and can be compared as a pair. No seed is drawn at random:
without \`seed\` it is 0.

### References

\`producer#summary\` is the file that the experiment \`producer\` declares under \`outputs\` as \`summary\`. Its value is what the
producer's \`loader\` makes of the file; without a loader it is the bytes. A reference is also a dependency of the task.

Replicate i reads the producer's replicate \`i mod n\`, where n is the number that the producer has.

The number of replicates of an experiment that does not set it is the number of its upstream. All experiments that it reads,
those that only a treatment reads included, must have the same number; a number of 1 agrees with any.

### What the first step receives

One datasource that is no reference: its value itself. Otherwise a mapping from alias to value, even when a single reference
is all there is. A treatment that swaps a datasource keeps the shape that the datasources below \`datasource\` have, so that the
steps need not know of it.

### How a treatment reaches other experiments

The conditions of an experiment are \`baseline\`, its own treatments, and the conditions of every experiment that it reads.
Under a treatment T, an experiment takes its own T if it defines one, else the values of its baseline. It reads each upstream
at T when T is one of the upstream's conditions, else at the upstream's baseline. In a chain \`a -> b -> c\`:

| T is defined at | a runs at | b runs at | c runs at |
| --- | --- | --- | --- |
| \`a\` | T | T | T |
| \`b\` | baseline | T | T |
| \`c\` | baseline | baseline | T |

What stays at the baseline is not run again: it is the same task. All of this is read from the config files. A file that is
missing at the computed condition is an error that names its path, and never replaced by that of another condition.

### Shards

With \`execution.shards: 4\`, Nx has four tasks for each condition, \`experiment--<condition>--1of4\` and so on, and one that puts
their results together: the same bytes as without. [Past one machine](../guides/scale-out.md) says what that is good for.

### Names and files

Names of experiments, treatments, datasources and outputs have letters, digits, \`.\`, \`_\` and \`-\`, start with a letter or a
digit, and have at most 100 characters. Two experiments, or two conditions of one, must differ in more than letter case. A
treatment cannot be named \`report\`, and its name cannot end like \`--2of4\`. A \`file_name\` stays inside the folder of its replicate, and belongs to one output.

### YAML

Anchors, aliases and merge keys (\`<<\`) work. A file has at most 64 KiB, 64 levels and, with its aliases written out, 50000
values. The keys \`__proto__\`, \`constructor\` and \`prototype\` are refused.
`;

export function renderConfigReference() {
  const sections = Object.entries(CONFIG_SCHEMA.properties).map(([key, schema]) => renderKey(key, schema));
  return [INTRODUCTION, EXAMPLE, '## Keys\n', ...sections, RULES].join('\n');
}

function renderKey(key, schema) {
  const required = CONFIG_SCHEMA.required.includes(key) ? ', required' : '';
  const lines = [
    `### \`${key}\``,
    '',
    `${capitalized(renderType(schema))}${required}. ${schema.description}`,
    '',
  ];
  if (schema.default !== undefined) lines.push(`Default: \`${flow(schema.default)}\`.`, '');
  if (schema.examples) lines.push('```yaml', `${key}: ${flow(schema.examples[0])}`, '```', '');
  const inner = innerKeys(schema);
  if (inner !== undefined) lines.push(renderTable(inner), '');
  return lines.join('\n');
}

/** The keys of a mapping, or of the mappings in a list or in a mapping by name. */
function innerKeys(schema) {
  if (schema.properties) return schema;
  const inside = [schema.items, schema.additionalProperties].filter((inner) => typeof inner === 'object');
  const branches = inside.flatMap((inner) => inner.anyOf ?? [inner]);
  return branches.find((branch) => branch.properties);
}

function renderTable({ properties, required = [] }) {
  const rows = Object.entries(properties).map(([key, schema]) => {
    const needed = required.includes(key) ? ', required' : '';
    const fallback = schema.default === undefined ? '' : ` Default: \`${flow(schema.default)}\`.`;
    const example = schema.examples ? ` For example \`${flow(schema.examples[0])}\`.` : '';
    const what = schema.description ?? 'As `datasource`: what the treatment swaps.';
    return `| \`${key}\` | ${renderType(schema)}${needed} | ${what}${fallback}${example} |`;
  });
  return ['| key | type | what it is |', '| --- | --- | --- |', ...rows].join('\n');
}

function renderType(schema) {
  if (schema.anyOf) {
    const types = schema.anyOf.filter((branch) => branch.type !== 'null').map(renderType);
    return [...new Set(types)].join(' or ');
  }
  const { minimum, maximum } = schema;
  const range =
    minimum === undefined
      ? ''
      : maximum === undefined
        ? ` from ${minimum}`
        : ` from ${minimum} to ${maximum}`;
  return `${TYPES[schema.type]}${range}`;
}

function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
