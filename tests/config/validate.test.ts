import { describe, expect, test } from 'vitest';
import { flow } from '../../plugin/config/validate.ts';
import { problemsOf } from '../support/configs.ts';

const LEAST = 'datasource: { raw: load }\nsteps: [run]\n';

describe('is accepted:', () => {
  test.each([
    'replicates: 1.0',
    'seed: 4294967295',
    'description: ""',
    'params: { any: { thing: [1, null, { deep: true }] } }',
    'treatments: { a: , b: { x: 1 } }',
    'outputs: { "1st.out-put_": }',
    'cli: { priority: -0.5 }',
    'execution: {}',
    'hypotheses: []',
    'inputs: []',
    `name: ${'n'.repeat(100)}`,
  ])('%s', (line) => {
    expect(problemsOf(`${LEAST}${line}\n`)).toEqual([]);
  });
});

describe('is refused:', () => {
  test.each([
    ['replicates: 1.5', 'config/invalid-type: "replicates" must be a whole number, but is the number 1.5.'],
    ['seed: 4294967296', 'config/invalid-value: "seed" is 4294967296, but must be from 0 to 4294967295.'],
    ['seed:', 'config/empty: "seed" must be a whole number, but is empty.'],
    ['inputs: [{ env: A, file: b }]', 'config/unknown-key: Unknown key "file" in "inputs[0]".'],
    ['inputs: [{}]', 'config/missing-key: "inputs[0]" lacks "env".'],
    ['hypotheses: [{ verifier: t, metrics: [[]] }]', 'config/empty: "hypotheses[0].metrics[0]" is empty.'],
    [
      'execution: { timeout: 10 }',
      'config/invalid-type: "execution.timeout" must be text, but is the number 10.',
    ],
    ['treatments: { a: { datasource: {} } }', 'config/empty: "treatments.a.datasource" is empty.'],
    [`name: ${'n'.repeat(101)}`, 'config/illegal-name: "name" is "nnn'],
    ['treatments: { "": {} }', 'config/illegal-name: The name "" is not allowed.'],
  ])('%s', (line, message) => {
    const [problem = ''] = problemsOf(`${LEAST}${line}\n`);
    expect(problem.slice(0, message.length)).toBe(message);
  });
});

test('a misspelt key that is required is told once', () => {
  const problems = problemsOf('datasource: { raw: load }\nstep: [run]\n');
  expect(problems).toEqual(['config/unknown-key: Unknown key "step". Did you mean "steps"?']);
});

test('an example is written as a person would write it', () => {
  expect(flow({ a: ['data/*.csv', { env: 'MODEL' }], b: '#85C1E9', c: '', d: {}, e: '10' })).toBe(
    '{ a: [data/*.csv, { env: MODEL }], b: "#85C1E9", c: "", d: {}, e: "10" }',
  );
});
