import markdownIt from 'markdown-it';
import { describe, expect, test } from 'vitest';
import { printable } from '../../plugin/base/diagnostics.ts';
import type { JsonObject } from '../../plugin/base/json.ts';
import { renderMarkdown } from '../../plugin/report/markdown.ts';
import { bytesOf, escapeMarkdown } from '../../plugin/report/markdown-text.ts';
import { compareConditions, type ReportModel, type Verdict } from '../../plugin/report/model.ts';
import { manifestOf } from '../support/manifests.ts';

/** As GitHub reads a comment: tables, HTML, and addresses that become links. */
const markdown = markdownIt({ html: true, linkify: true });
// It would take every "a.org" for an address.
markdown.linkify.set({ fuzzyLink: false });
const render = (text: string): string => markdown.render(text);

const HOSTILE = [
  '| a | b |',
  '`code` ```fence```',
  '<img src=x onerror=alert(1)> &lt;',
  '</details><script>alert(1)</script>',
  '[link](javascript:alert(1)) ![image](https://x.y/z.png)',
  '**bold** _under_ snake_case ~~gone~~ $math$ ^up^ {x}',
  '# heading',
  '- list',
  '12. list',
  '> quote',
  '@everyone and #1 and !2',
  'https://example.org and www.example.org',
  'line\nbreak\r\nand\u202eturned',
  '\\',
  '',
];

/** Text nodes of HTML, entities decoded, comments as borders: what mentions are looked for in. */
function textsOf(html: string): string[] {
  return html
    .split(/<[^>]*>/)
    .map((text) =>
      text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
    );
}

describe.each(HOSTILE)('%j', (text) => {
  test('shows as it is in a cell of a table', () => {
    const html = render(`| a | b |\n| --- | --- |\n| x${escapeMarkdown(text)}y | z |\n`);
    const [cell = ''] = html.match(/<td>x.*?<\/td>/s) ?? [];
    expect(textsOf(cell).join('')).toBe(`x${printable(text)}y`);
    expect(cell.replaceAll('<!-- -->', '').match(/<[^>]+>/g)).toEqual(['<td>', '</td>']);
    expect(html.match(/<td>/g)).toHaveLength(2);
  });
  test('shows as it is in a paragraph of its own', () => {
    const html = render(`before\n\n${escapeMarkdown(text)}\n\nafter\n`);
    expect(html.match(/<(?!!--)[a-z0-9]+/g)).toEqual(Array(text === '' ? 2 : 3).fill('<p'));
    expect(textsOf(html).join('').trim().split('\n')).toEqual(
      ['before', ...(text === '' ? [] : [printable(text).trim()]), 'after'].map((line) =>
        expect.stringContaining(line),
      ),
    );
  });
  test('notifies nobody', () => {
    expect(textsOf(render(escapeMarkdown(text))).join('\0')).not.toMatch(/[@#!]\w/);
  });
});

const verdict = (metric: string, condition: string, values: JsonObject): Verdict => ({
  hypothesis: metric,
  verifier: 'own',
  builtIn: false,
  better: undefined,
  corrected: undefined,
  gate: undefined,
  condition,
  metrics: [metric],
  result: { ok: true, values },
});

/** Many of everything, with names that take as many bytes as they can. */
function huge(metrics: number, conditions: number): ReportModel {
  const names = Array.from({ length: metrics }, (_, i) => `${i}<|>${'🧪'.repeat(200)}`);
  const manifests = Array.from({ length: conditions }, (_, i) =>
    manifestOf(
      i === 0 ? 'baseline' : `${i}${'_&'.repeat(60)}`,
      Object.fromEntries(names.map((name) => [name, [i, i + 1, undefined]])),
    ),
  );
  const verdicts = names.flatMap((name) =>
    manifests.slice(1).map(({ condition }) => verdict(name, condition, { note: '|'.repeat(5000) })),
  );
  return compareConditions({ name: 'lab', description: '`'.repeat(10_000) }, manifests, verdicts);
}

describe.each([
  [1, 2],
  [30, 10],
  [200, 40],
])('with %d metrics and %d conditions', (metrics, conditions) => {
  const text = renderMarkdown(huge(metrics, conditions));
  test('it is less than 60 kB', () => {
    expect(bytesOf(text)).toBeLessThan(60_000);
  });
  test('what is folded is closed', () => {
    const html = render(text);
    expect(html.match(/<details>/g)?.length ?? 0).toBe(html.match(/<\/details>/g)?.length ?? 0);
    expect(html.match(/<table>/g)?.length).toBe(html.match(/<\/table>/g)?.length);
  });
  test('what is left out is said', () => {
    if (metrics > 1) expect(text).toMatch(/\d+ more rows in summary\.json/);
    else expect(text).not.toContain('more row');
  });
});

test('parameters are listed where they differ', () => {
  const facts = (x: number, reads: string) => ({
    digest: '',
    parameters: { x, y: 1 },
    datasource: { data: reads },
  });
  const text = renderMarkdown(
    compareConditions(
      {
        name: 'lab',
        description: undefined,
        facts: new Map([
          ['baseline', facts(1, 'a#b')],
          ['high', facts(2, 'c#d')],
        ]),
      },
      [manifestOf('baseline', { m: [1] }), manifestOf('high', { m: [1] })],
      [],
    ),
  );
  expect(text).toContain('| x | 1 | 2 |\n| data (datasource) | a#<!-- -->b | c#<!-- -->d |\n');
  expect(text).not.toContain('| y |');
});
