import type { Diagnostic } from '../base/diagnostics.ts';
import type { LocatedNode } from './located-node.ts';

/**
 * Texts that are truth values or numbers in YAML 1.1, in which folders of Crystallize are written. They must not change in
 * silence: every text that is not empty counts as true.
 */
export function ambiguousValues(node: LocatedNode): Diagnostic[] {
  switch (node.kind) {
    case 'list':
      return node.items.flatMap(ambiguousValues);
    case 'mapping':
      return node.entries.flatMap(({ value }) => ambiguousValues(value));
    case 'scalar': {
      const { value, at } = node;
      const isPlain = typeof value === 'string' && at.end - at.start === value.length;
      const meant = isPlain ? valueInYaml11(value) : undefined;
      if (meant === undefined) return [];
      return [
        {
          severity: 'error',
          code: 'config/invalid-value',
          message: `YAML 1.1, in which Crystallize reads it, takes ${value} for ${meant}; here it would be text.`,
          remedy: `Write ${meant}, or put it in quotation marks if text is meant.`,
          at,
        },
      ];
    }
  }
}

function valueInYaml11(text: string): string | undefined {
  if (/^(?:yes|Yes|YES|on|On|ON)$/.test(text)) return 'true';
  if (/^(?:no|No|NO|off|Off|OFF)$/.test(text)) return 'false';
  if (/^[-+]?[1-9]\d*(?:_\d+)+(?:\.\d*)?$/.test(text)) return text.replaceAll('_', '');
  return undefined;
}
