import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DIAGNOSTIC_CODES } from '../../plugin/base/diagnostics.ts';
import { CONFIG_SCHEMA } from '../../plugin/config/schema.ts';
import { problemsOf } from '../support/configs.ts';

const root = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const page = (name: string): string => readFileSync(root(`docs/reference/${name}.md`), 'utf8');

test('the committed reference is what "npm run docs" writes', () => {
  const script = fileURLToPath(root('plugin/scripts/write-docs.mjs'));
  const { stderr, status } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
});

test('every diagnostic code is documented, and every documented code exists', () => {
  const documented = [...page('diagnostics').matchAll(/^## (\S+)$/gm)].map(([, code]) => code);
  expect(documented.sort()).toEqual([...DIAGNOSTIC_CODES].sort());
});

test('every key is documented', () => {
  const documented = [...page('config').matchAll(/^### `(\S+)`$/gm)].map(([, key]) => key);
  expect(documented).toEqual(Object.keys(CONFIG_SCHEMA.properties));
});

test('the example with everything is correct, and has every key', () => {
  const example = /```yaml\n([\s\S]*?)```/.exec(page('config'))?.[1] ?? '';
  expect(problemsOf(example)).toEqual([]);
  const keys = [...example.matchAll(/^(\w+):/gm)].map(([, key]) => key);
  expect(keys).toEqual(Object.keys(CONFIG_SCHEMA.properties));
});

test('the example of each key is correct', () => {
  const examples = [...page('config').matchAll(/```yaml\n(\w+: .*)\n```/g)].map(([, line = '']) => line);
  expect(examples.length).toBeGreaterThan(5);
  const needed = ['datasource: { raw: load }', 'steps: [run]'];
  for (const example of examples) {
    const rest = needed.filter((line) => line.split(':')[0] !== example.split(':')[0]);
    expect(problemsOf([example, ...rest, ''].join('\n'))).toEqual([]);
  }
});
