import { BASELINE } from '../base/names.ts';
import type { PictureNode } from './model.ts';

/** Colours and words that all drawings share. */
export const FONT = 'Open Sans,Helvetica,Arial,sans-serif';
export const INK = '#1f2937';
export const FAINT = '#6b7280';
export const LINE = '#9ca3af';
const TREATED = '#fde68a';
const READS_TREATED = '#fef3c7';
const PLAIN = '#f3f4f6';

export function fillOf({ treated, condition }: PictureNode): string {
  if (treated) return TREATED;
  return condition === undefined || condition === BASELINE ? PLAIN : READS_TREATED;
}

/** The second line of a box. */
export function factsOf({ condition, replicates }: PictureNode): string {
  return [condition, `${replicates} replicate${replicates === 1 ? '' : 's'}`].filter(Boolean).join(' · ');
}

export function escapeXml(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')
    .replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
}

/** At most so many UTF-16 units of a text, never half of a sign. */
export function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
}
