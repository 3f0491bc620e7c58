import { describe, expect, test } from 'vitest';
import { DIAGNOSTIC_CODES } from '../../plugin/base/diagnostics.ts';
import { diagnose } from '../support/configs.ts';
import { BROKEN_CONFIGS } from './broken-configs.ts';

/** Codes that nothing reports yet; whoever makes them reported takes them off this list. */
const PENDING: readonly string[] = ['nx/ignored-input', 'modules/two-languages', 'modules/mixed-languages'];

const found = new Set<string>();

describe('the message for', () => {
  for (const [name, files] of Object.entries(BROKEN_CONFIGS)) {
    test(name.replaceAll('-', ' '), async () => {
      const text = await diagnose(files);
      for (const [, code = ''] of text.matchAll(/ - (?:error|warning) ([\w/-]+):/g)) found.add(code);
      expect(text).not.toBe('');
      await expect(text).toMatchFileSnapshot(`diagnostics/${name}.txt`);
    });
  }
});

test('every diagnostic code has a golden message', () => {
  expect([...found].sort()).toEqual(DIAGNOSTIC_CODES.filter((code) => !PENDING.includes(code)).sort());
});
