import { DURATION_PATTERN } from '../base/duration.ts';
import { MAX_NAME_LENGTH, MAX_SHARDS, NAME_PATTERN, NAME_RULE } from '../base/names.ts';

export type SchemaType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object';

/** The part of JSON Schema (2020-12) that the configuration needs, and that `validate.ts` understands. */
export interface Schema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: SchemaType;
  /** At most one branch per type: the value's type picks the branch. */
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  /** Says in words what `pattern` says in signs. */
  readonly format?: 'name' | 'duration' | 'color';
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

const name: Schema = { type: 'string', maxLength: MAX_NAME_LENGTH, pattern: NAME_PATTERN, format: 'name' };
const text: Schema = { type: 'string' };
const functionName: Schema = { type: 'string', minLength: 1 };

const call: Schema = {
  description: 'A function with arguments: one key, the name; its value, the arguments.',
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: { anyOf: [{ type: 'object' }, { type: 'null' }] },
};

const datasourceMapping: Schema = {
  type: 'object',
  minProperties: 1,
  propertyNames: name,
  additionalProperties: {
    anyOf: [{ ...functionName, description: 'A function of datasources, or experiment#output.' }, call],
  },
};

/** The configuration of an experiment: the one source of the published JSON Schema and of docs/reference/config.md. */
export const CONFIG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Experiment',
  description: 'The configuration of one experiment: config.yaml in its folder.',
  type: 'object',
  additionalProperties: false,
  required: ['datasource', 'steps'],
  properties: {
    name: {
      ...name,
      description: `Name of the experiment and of its Nx project: ${NAME_RULE}. Default: the name of the folder.`,
    },
    description: { ...text, description: 'One line that says what the experiment asks.' },
    replicates: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      description:
        "How many replicates each condition runs. Default: the upstream experiments' count when they agree (a count of 1 agrees with any), else 1.",
      examples: [12],
    },
    seed: {
      type: 'integer',
      minimum: 0,
      maximum: 4_294_967_295,
      default: 0,
      description: 'Root seed. Replicate i gets (seed + i * 31337) mod 2^32, the same in every condition.',
    },
    params: {
      type: 'object',
      description: "Values that every condition shares; a condition's own value wins.",
      examples: [{ epochs: 10 }],
    },
    inputs: {
      type: 'array',
      description:
        'What else a run reads: globs of files, relative to the folder or to {workspaceRoot}, and environment variables.',
      items: {
        anyOf: [
          { type: 'string', minLength: 1 },
          {
            type: 'object',
            required: ['env'],
            additionalProperties: false,
            properties: {
              env: { type: 'string', minLength: 1, description: 'Name of an environment variable.' },
            },
          },
        ],
      },
      examples: [['data/*.csv', { env: 'MODEL' }]],
    },
    datasource: {
      description:
        'Where the data comes from: alias -> a function of datasources, a function with arguments, or experiment#output of another experiment.',
      anyOf: [datasourceMapping, { type: 'array', minItems: 1, items: datasourceMapping }],
      examples: [{ summary: 'producer#summary' }],
    },
    steps: {
      type: 'array',
      minItems: 1,
      description:
        'Functions of steps, in order; the first gets the data, each next one what the last one returned.',
      items: { anyOf: [functionName, call] },
      examples: [['inspect_summary', { clean: { drop_nulls: true } }]],
    },
    outputs: {
      type: 'object',
      propertyNames: name,
      description: 'Files that each replicate writes, by alias.',
      additionalProperties: {
        anyOf: [
          {
            type: 'object',
            additionalProperties: false,
            properties: {
              file_name: {
                type: 'string',
                minLength: 1,
                description: "Path inside the replicate's folder. Default: the alias.",
              },
              writer: {
                ...functionName,
                description:
                  'Function of outputs that turns a value into bytes or text; dump_json, dump_text and dump_bytes are built in.',
              },
              loader: {
                ...functionName,
                description:
                  'Function of outputs that reads the file at a path; load_json, load_text and load_bytes are built in. Without one, readers get bytes.',
              },
            },
          },
          { type: 'null' },
        ],
      },
      examples: [{ report: { file_name: 'report.json', writer: 'dump_json', loader: 'load_json' } }],
    },
    treatments: {
      type: 'object',
      propertyNames: name,
      description:
        'Named context values, each a condition that is compared with the baseline. `baseline` gives the baseline its own values, which treatments do not inherit. A treatment may swap a datasource.',
      additionalProperties: {
        anyOf: [{ type: 'object', properties: { datasource: datasourceMapping } }, { type: 'null' }],
      },
      examples: [{ baseline: {}, high_lr: { learning_rate: 0.05 } }],
    },
    hypotheses: {
      type: 'array',
      description: 'Verifiers applied to metrics of the baseline and of each treatment.',
      items: {
        type: 'object',
        required: ['metrics'],
        additionalProperties: false,
        properties: {
          name: { ...text, description: 'Default: the name of the verifier.' },
          verifier: {
            ...functionName,
            default: 'paired_t_test',
            description:
              'A function of verifiers, or a built-in test: `paired_t_test`, `welch_t_test`, `wilcoxon_signed_rank`, `mann_whitney_u`, `sign_flip_permutation`, `bootstrap_ci`, `equivalence`. A function of that name goes first.',
          },
          metrics: {
            description: 'A metric, a list of metrics, or lists of metrics (then one verdict for each list).',
            anyOf: [
              { type: 'string', minLength: 1 },
              {
                type: 'array',
                minItems: 1,
                items: {
                  anyOf: [
                    { type: 'string', minLength: 1 },
                    { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
                  ],
                },
              },
            ],
          },
          alpha: {
            type: 'number',
            minimum: 0.000001,
            maximum: 0.5,
            default: 0.05,
            description: 'A corrected p-value below it is significant; intervals have confidence 1 - alpha.',
          },
          alternative: {
            type: 'string',
            enum: ['two-sided', 'greater', 'less'],
            default: 'two-sided',
            description: '`greater`: the treatment is expected to have larger values.',
          },
          margin: {
            type: 'number',
            minimum: 0,
            description:
              'Largest difference that does not matter: for `equivalence` and `require: not-worse`.',
          },
          correction: {
            type: 'string',
            enum: ['holm', 'benjamini-hochberg', 'none'],
            default: 'holm',
            description:
              'How p-values are corrected for their number: over all verdicts of the experiment with the same correction.',
          },
          require: {
            type: 'string',
            enum: ['significant', 'not-worse'],
            description: 'Makes the hypothesis a gate: the comparison fails unless every condition meets it.',
          },
          better: {
            type: 'string',
            enum: ['higher', 'lower'],
            description:
              'Which values are good: reports then say better and worse. `require: not-worse` takes higher for better when nothing is said.',
          },
        },
      },
      examples: [[{ name: 'better', verifier: 'welch_t_test', metrics: 'accuracy' }]],
    },
    cli: {
      type: 'object',
      additionalProperties: false,
      description:
        'How the experiment is shown; also `metadata.cli` of its Nx project, for tools that list projects.',
      properties: {
        group: { ...text, description: 'Becomes the tag `group:<group>`.' },
        priority: { type: 'number', description: 'Order within its group, smallest first.' },
        icon: {
          ...text,
          description:
            'Shown before the description. Default in pictures: 📈 when it reads other experiments, else 🧪.',
        },
        color: {
          type: 'string',
          pattern: '^#[0-9A-Fa-f]{6}$',
          format: 'color',
          examples: ['#85C1E9'],
          description: 'Six hexadecimal digits.',
        },
        hidden: {
          type: 'boolean',
          default: false,
          description: 'Leave the experiment out of listings, such as the completions of a shell.',
        },
      },
    },
    execution: {
      type: 'object',
      additionalProperties: false,
      description: 'How replicates are run; never part of what they compute.',
      properties: {
        workers: {
          type: 'integer',
          minimum: 1,
          maximum: 1024,
          description: 'Most worker processes for this experiment. Default: one for each core.',
        },
        concurrency: {
          type: 'integer',
          minimum: 1,
          maximum: 10_000,
          default: 1,
          description: 'Replicates that one worker interleaves: for steps that wait for a network.',
        },
        timeout: {
          type: 'string',
          maxLength: 20,
          pattern: DURATION_PATTERN,
          format: 'duration',
          description: 'Longest time for one replicate. Default: none.',
          examples: ['10m'],
        },
        retries: {
          type: 'integer',
          minimum: 0,
          maximum: 100,
          default: 0,
          description: 'How often a failed replicate is tried again.',
        },
        shards: {
          type: 'integer',
          minimum: 1,
          maximum: MAX_SHARDS,
          description:
            'Tasks that each condition is divided into, so that several machines can share it. Default: by `estimate`, else 1.',
          examples: [4],
        },
        estimate: {
          type: 'string',
          maxLength: 20,
          pattern: DURATION_PATTERN,
          format: 'duration',
          description:
            'About how long one replicate takes. With the plugin option `shardTime`, it says how many shards there are.',
          examples: ['30s'],
        },
        python: {
          type: 'string',
          minLength: 1,
          maxLength: 1000,
          examples: ['python3.12', '.venv/bin/python', '{workspaceRoot}/.venv/bin/python'],
          description:
            'The Python of this experiment: a command, or a path relative to the folder. Default: the plugin option `python`, else a `.venv` of the folder or of the workspace root, else `python3`.',
        },
      },
    },
  },
} as const satisfies Schema;
