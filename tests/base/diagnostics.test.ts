import { describe, expect, test } from 'vitest';
import {
  type Diagnostic,
  formatDiagnostic,
  printable,
  sortDiagnostics,
} from '../../plugin/base/diagnostics.ts';

function at(text: string, part: string, over: Partial<Diagnostic> = {}): string {
  const start = text.indexOf(part);
  const diagnostic: Diagnostic = {
    severity: 'error',
    code: 'config/invalid-value',
    message: 'It is wrong.',
    remedy: 'Mend it.',
    at: { file: 'lab/config.yaml', start, end: start + part.length },
    ...over,
  };
  return formatDiagnostic(diagnostic, () => text);
}

test('the caret stands below the part that is wrong', () => {
  expect(at('a: 1\nb: wrong here\nc: 3\n', 'wrong')).toMatchInlineSnapshot(`
    "lab/config.yaml:2:4 - error config/invalid-value: It is wrong.

        1 | a: 1
      > 2 | b: wrong here
          |    ^^^^^
        3 | c: 3

      Mend it."
  `);
});

test('a span over several lines is underlined to the end of the first', () => {
  expect(at('a:\n  b: 1\n  c: 2\n', 'b: 1\n  c: 2')).toContain('  > 2 |   b: 1\n      |   ^^^^\n');
});

test('without the text there is no frame and no position', () => {
  const diagnostic = { severity: 'warning', code: 'graph/cycle', message: 'M.', remedy: 'R.' } as const;
  const span = { file: 'lab/config.yaml', start: 5, end: 6 };
  expect(formatDiagnostic({ ...diagnostic, at: span }, () => undefined)).toBe(
    'lab/config.yaml - warning graph/cycle: M.\n  R.',
  );
});

test('no line of a frame is longer than 110 columns', () => {
  const text = `${'x'.repeat(5000)}HERE${'y'.repeat(5000)}\n${'z'.repeat(5000)}\n`;
  const rendered = at(text, 'HERE');
  expect(Math.max(...rendered.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  const [line = '', caret = ''] = rendered.split('\n').slice(2, 4);
  expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('HERE');
});

test('Windows line ends leave no trace', () => {
  expect(at('a: 1\r\nb: wrong\r\nc: 3\r\n', 'wrong')).toBe(at('a: 1\nb: wrong\nc: 3\n', 'wrong'));
});

describe('what the terminal would obey is not printed', () => {
  const OBEYED = /[\p{Cc}\u202e\u2028]/u;
  const hostile = '\u001b[2J\u0007\u202e\u2028';
  test('in the text of the file', () => {
    expect(at(`a: wrong ${hostile}\n`, 'wrong').replaceAll('\n', '')).not.toMatch(OBEYED);
  });
  test('in messages', () => {
    const over = { message: `Bad "${hostile}".`, remedy: hostile };
    expect(at('a: wrong\n', 'wrong', over).replaceAll('\n', '')).not.toMatch(OBEYED);
  });
  test('nor a tab, which would move the caret', () => {
    expect(printable('a\tb')).toBe('a b');
  });
});

test('a long quotation is cut', () => {
  expect(at('a: wrong\n', 'wrong', { message: `"${'q'.repeat(5000)}" and "b".` })).toContain(
    `"${'q'.repeat(100)}…" and "b".`,
  );
});

test('a report reads from top to bottom, file by file', () => {
  const base = { severity: 'error', code: 'graph/cycle', remedy: '' } as const;
  const of = (file: string, start: number): Diagnostic => ({
    ...base,
    message: `${file}${start}`,
    at: { file, start, end: start },
  });
  const sorted = sortDiagnostics([of('b', 1), of('a', 10), of('B', 1), of('a', 9)]);
  expect(sorted.map((d) => d.message)).toEqual(['B1', 'a9', 'a10', 'b1']);
});
