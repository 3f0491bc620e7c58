import { expect, test } from 'vitest';
import type { KeyComponents } from '../../plugin/store/components.ts';
import { explainChange } from '../../plugin/store/explain.ts';

const COMPONENTS: KeyComponents = {
  engine: '1.0.0',
  interpreter: 'node 24',
  experiment: 'a',
  condition: 'baseline',
  folder: 'experiments/a',
  context: {},
  steps: [],
  sources: [],
  bareSource: false,
  outputs: [],
  code: {},
  loaders: {},
  packages: {},
  files: {},
  env: {},
};

test('a file that is code, of a loader and an input is named once', () => {
  const having = (digest: string): KeyComponents => {
    const files = { 'tsconfig.base.json': digest };
    return { ...COMPONENTS, code: files, loaders: files, files };
  };
  expect(explainChange(having('before'), having('after'))).toEqual(['tsconfig.base.json changed']);
});
