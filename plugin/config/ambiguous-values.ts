import type { Diagnostic } from '../base/diagnostics.ts';
import type { LocatedNode } from './located-node.ts';

/**
 * Values that are truth values or other numbers in YAML 1.1, in which folders of Crystallize are written. They must not
 * change in silence: every text that is not empty counts as true, and 010 is 8 there.
 *
 * @param text of the file
 */
export function ambiguousValues(node: LocatedNode, text: string): Diagnostic[] {
  switch (node.kind) {
    case 'list':
      return node.items.flatMap((item) => ambiguousValues(item, text));
    case 'mapping':
      return node.entries.flatMap(({ value }) => ambiguousValues(value, text));
    case 'scalar': {
      const { value, at } = node;
      const written = text.slice(at.start, at.end);
      const isPlain = typeof value === 'number' || written === value;
      const meant = isPlain ? valueInYaml11(written) : undefined;
      if (meant === undefined || meant === value) return [];
      const here = typeof value === 'number' ? String(value) : 'text';
      return [
        {
          severity: 'error',
          code: 'config/invalid-value',
          message: `YAML 1.1, in which Crystallize reads it, takes ${written} for ${meant}; here it would be ${here}.`,
          remedy:
            typeof value === 'number'
              ? `Write ${meant} or ${here}, whichever is meant.`
              : `Write ${meant}, or put it in quotation marks if text is meant.`,
          at,
        },
      ];
    }
  }
}

function valueInYaml11(text: string): boolean | number | undefined {
  if (/^(?:yes|Yes|YES|on|On|ON)$/.test(text)) return true;
  if (/^(?:no|No|NO|off|Off|OFF)$/.test(text)) return false;
  const [, sign, digits = ''] = /^([-+]?)([.\d].*)$/s.exec(text) ?? [];
  const size = sizeInYaml11(digits, digits.replaceAll('_', ''));
  return size === undefined ? undefined : sign === '-' ? -size : size;
}

/** @param plain the digits without the underscores that YAML 1.1 allows in them */
function sizeInYaml11(digits: string, plain: string): number | undefined {
  if (/^0b[01_]*[01][01_]*$/.test(digits)) return Number(plain);
  if (/^0x[\da-fA-F_]*[\da-fA-F][\da-fA-F_]*$/.test(digits)) return Number(plain);
  if (/^0[0-7_]+$/.test(digits)) return Number.parseInt(plain, 8);
  if (/^[1-9][\d_]*$/.test(digits)) return Number(plain);
  if (/^(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*)(?:[eE][-+]\d+)?$/.test(digits)) return Number(plain);
  // 1:30 is a minute and a half in seconds.
  if (/^(?:[1-9][\d_]*(?::[0-5]?\d)+|\d[\d_]*(?::[0-5]?\d)+\.[\d_]*)$/.test(digits))
    return plain.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return undefined;
}
