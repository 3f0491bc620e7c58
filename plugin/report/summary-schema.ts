import { SUMMARY_VERSION } from './summary.ts';

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const digest = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;

/** JSON has no NaN and no infinities: they are spelled. */
const number = {
  anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }],
} as const;

const description = {
  n: { ...count, description: 'Replicates with a value that is a number.' },
  missing: { ...count, description: 'Replicates that recorded NaN.' },
  mean: number,
  sd: { ...number, description: 'Sample standard deviation, with n - 1.' },
} as const;

const interval = {
  ci_low: number,
  ci_high: { ...number, description: 'With ci_low: the interval with confidence 0.95, by Student’s t.' },
} as const;

const comparison = {
  type: 'object',
  description: 'Against the baseline, replicate by replicate, by a paired t test.',
  additionalProperties: false,
  required: [
    'difference',
    'ci_low',
    'ci_high',
    'effect_size',
    'effect',
    'p_value',
    'p_adjusted',
    'pairs',
    'reading',
  ],
  properties: {
    difference: { ...number, description: 'Mean of condition minus baseline over the pairs.' },
    ...interval,
    effect_size: number,
    effect: { const: 'd_z', description: 'Mean over standard deviation of the paired differences.' },
    p_value: number,
    p_adjusted: { ...number, description: 'By Holm’s method, over all comparisons of this file.' },
    pairs: count,
    reading: {
      enum: ['better', 'worse', 'higher', 'lower', 'equivalent', 'same', 'unclear', null],
      description:
        'By the first hypothesis that asks for this metric, else by p_adjusted; null where nothing could be tested.',
    },
  },
} as const;

/** JSON Schema (draft 7) of results/report/summary.json, published as `nx-experiments/summary.schema.json`. */
export const SUMMARY_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Summary of an experiment, as nx-experiments writes it',
  type: 'object',
  additionalProperties: false,
  required: ['version', 'experiment', 'conditions', 'missing', 'metrics', 'hypotheses'],
  properties: {
    version: { const: SUMMARY_VERSION },
    experiment: text,
    description: text,
    conditions: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['condition', 'finished', 'failed', 'seeds'],
        properties: {
          condition: text,
          finished: { ...count, description: 'Replicates with results.' },
          failed: { ...count, description: 'Replicates without.' },
          seeds: { type: 'array', items: count, description: 'By replicate.' },
          digest: { ...digest, description: 'SHA-256 of the condition’s metrics.json.' },
          parameters: { type: 'object', description: 'Values of the context in force.' },
          datasource: {
            type: 'object',
            additionalProperties: text,
            description: 'What each datasource reads.',
          },
        },
      },
    },
    missing: {
      type: 'array',
      description: 'Conditions that have no results to compare.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['condition', 'reason'],
        properties: { condition: text, reason: text },
      },
    },
    metrics: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['metric', 'condition', 'n', 'missing', 'mean', 'sd', 'ci_low', 'ci_high', 'values'],
        properties: {
          metric: text,
          condition: text,
          ...description,
          ...interval,
          nested: { const: true, description: 'Recorded several times in a replicate: its mean counts.' },
          values: {
            type: 'array',
            items: { anyOf: [...number.anyOf, { type: 'null' }] },
            description: 'By replicate; null where it failed or recorded nothing.',
          },
          comparison,
        },
      },
    },
    hypotheses: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['hypothesis', 'verifier', 'condition', 'metrics'],
        properties: {
          hypothesis: text,
          verifier: text,
          condition: text,
          metrics: { type: 'array', items: text },
          better: { enum: ['higher', 'lower'] },
          alpha: {
            type: 'number',
            description: 'Of a built-in test: what is significant has a p_adjusted below it.',
          },
          alternative: { enum: ['greater', 'less'], description: 'Left out: a test of both sides.' },
          margin: {
            type: 'number',
            description:
              'Of equivalence and of what must not be worse: the largest difference that does not matter.',
          },
          require: {
            enum: ['significant', 'not-worse'],
            description: 'Of a gate: what every condition has to meet.',
          },
          correction: { enum: ['holm', 'benjamini-hochberg', 'none'] },
          tests: { ...count, description: 'How many p-values were corrected together.' },
          gate: { ...text, description: 'Why what the hypothesis requires is not met.' },
          result: { type: 'object', description: 'What the verifier returned.' },
          error: { ...text, description: 'Why the verifier failed.' },
        },
      },
    },
  },
} as const;
