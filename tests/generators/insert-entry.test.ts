import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { insertEntry } from '../../plugin/generators/insert-entry.ts';

/** Each text, the line or lines that are new, and what it says afterwards of the treatments. */
const TEXTS: Readonly<Record<string, readonly [text: string, added: string]>> = {
  'a block': ['treatments:\n  a: { x: 1 }\nsteps: [s]\n', '  new: { y: 2 }\n'],
  'a block with comments and odd spaces': [
    '# top\ntreatments:   # what we try\n    a:   {x: 1}   # one\n\n    # two\n    "b":\n        x:  2   # deep\n\n\n# after\nsteps:  [ s ]  # end\n',
    '    new: { y: 2 }\n',
  ],
  'a block at the end without a last newline': [
    'steps: [s]\ntreatments:\n  a:\n    x: 1',
    '\n  new: { y: 2 }',
  ],
  'a block that ends in a long text': [
    'treatments:\n  a:\n    x: |\n      one\n      two\nsteps: [s]\n',
    '  new: { y: 2 }\n',
  ],
  'an entry without a value': ['treatments:\n  a:\nsteps: [s]\n', '  new: { y: 2 }\n'],
  'no treatments at all': ['steps: [s]\n', 'treatments:\n  new: { y: 2 }\n'],
  'no treatments, and no last newline': ['seed: 1\nsteps: [s]', '\ntreatments:\n  new: { y: 2 }\n'],
  'treatments without a value': ['treatments: # none yet\nsteps: [s]\n', '  new: { y: 2 }\n'],
};

describe('adds one entry, and leaves every other byte as it is:', () => {
  test.each(Object.entries(TEXTS))('%s', (_name, [text, added]) => {
    for (const newline of ['\n', '\r\n']) {
      const before = text.replaceAll('\n', newline);
      const after = insertEntry(before, 'treatments', 'new', { y: 2 });
      const at = after.indexOf(added.trim().replaceAll('\n', newline));
      expect(at).toBeGreaterThanOrEqual(0);
      expect(after.length).toBe(before.length + added.replaceAll('\n', newline).length);
      expect(parse(after)).toEqual({
        ...parse(before),
        treatments: { ...parse(before).treatments, new: { y: 2 } },
      });
      for (const line of before.split(newline)) expect(after.split(newline)).toContain(line);
    }
  });

  test('a mapping in braces', () => {
    const text = 'treatments: { a: { x: 1 } } # all\nsteps: [s]\n';
    expect(insertEntry(text, 'treatments', 'new', { y: 2 })).toBe(
      'treatments: { a: { x: 1 }, new: { y: 2 } } # all\nsteps: [s]\n',
    );
  });

  test('empty braces', () => {
    const text = 'treatments: {} # none\nsteps: [s]\n';
    const after = insertEntry(text, 'treatments', 'new', { y: 2 });
    expect(after).toBe('treatments: # none\n  new: { y: 2 }\nsteps: [s]\n');
  });

  test('a name that YAML would read as a number', () => {
    expect(insertEntry('steps: [s]\n', 'treatments', '1e3', {})).toBe(
      'steps: [s]\ntreatments:\n  "1e3": {}\n',
    );
  });
});
