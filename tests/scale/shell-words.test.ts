import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quote, splitWords } from '../../plugin/scale/shell-words.ts';
import { SlurmEngine } from '../../plugin/scale/slurm.ts';

const words = fc.array(
  fc.string({ unit: 'grapheme' }).map((word) => word.replaceAll('\0', '')),
  { maxLength: 5 },
);

test('what is quoted is split into the same words', () => {
  fc.assert(
    fc.property(words, (all) => {
      expect(splitWords(all.map(quote).join(' '))).toEqual(all);
    }),
  );
});

test('what is quoted reaches a shell as it is', () => {
  fc.assert(
    fc.property(words, (all) => {
      const script = `printf '%s\\0' x ${all.map(quote).join(' ')}`;
      expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(
        ['x', ...all].map((w) => `${w}\0`).join(''),
      );
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['--gres=gpu:1 --qos=long', ['--gres=gpu:1', '--qos=long']],
  [` --comment="a b" 'c d'e\\ f `, ['--comment=a b', 'c de f']],
  [`"a\\"b" "\\c" ''`, ['a"b', '\\c', '']],
  ['', []],
  ['"not closed', undefined],
  ["a 'b", undefined],
])('%j is split as a shell does', (line, expected) => {
  expect(splitWords(line)).toEqual(expected);
});

test('a folder that Slurm cannot name in the path of a log is refused', () => {
  const job = { name: 'x', command: ['true'], elements: undefined, after: [], files: '/x' };
  expect(() =>
    new SlurmEngine().describe({ ...job, logs: '/back\\slash', resources: { cpus: 1, extra: [] } }),
  ).toThrow('Slurm writes no logs below a folder whose name holds a backslash');
});
