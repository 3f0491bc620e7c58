import { crc32 } from 'node:zlib';
import { sha256 } from '../base/digest.ts';
import { parseMetrics, spellNonFinite } from '../runtime/manifest.ts';
import type { ConditionHistory } from './explain.ts';
import type { StoredReplicate } from './store.ts';

/** A replicate's key, and what it came to. */
export type Entry = readonly [key: string, replicate: StoredReplicate];

/** One line of a record file: a checksum, and the replicates that finished together. */
export function encodeLine(entries: readonly Entry[]): string {
  const finite = entries.every(([, { metrics }]) => hasFiniteNumbers(metrics));
  // A replacer makes all of JSON.stringify slow.
  const body = finite ? JSON.stringify(entries) : JSON.stringify(entries, spellNonFinite);
  return `${checksum(body)} ${body}\n`;
}

/**
 * Lines of a record file; the number of damaged ones beside. A last line without its end was being written.
 *
 * @param entries what is known from other files: later ones replace it
 */
export function decodeLines(
  text: string,
  entries: Map<string, StoredReplicate> = new Map(),
): { entries: Map<string, StoredReplicate>; damaged: number } {
  let damaged = 0;
  const lines = text.split('\n');
  lines.pop();
  for (const line of lines) {
    const body = line.slice(9);
    if (line[8] !== ' ' || line.slice(0, 8) !== checksum(body)) {
      damaged++;
      continue;
    }
    for (const [key, replicate] of JSON.parse(body) as Entry[]) {
      const metrics = parseMetrics(replicate.metrics);
      if (metrics) entries.set(key, metrics === replicate.metrics ? replicate : { ...replicate, metrics });
    }
  }
  return { entries, damaged };
}

export function encodeHistory(history: ConditionHistory): string {
  return JSON.stringify({ digest: sha256(JSON.stringify(history)), history });
}

/** What `encodeHistory` wrote; undefined for anything else. */
export function decodeHistory(text: string): ConditionHistory | undefined {
  try {
    const { digest, history } = JSON.parse(text);
    return digest === sha256(JSON.stringify(history)) ? history : undefined;
  } catch {
    return undefined;
  }
}

function hasFiniteNumbers(metrics: StoredReplicate['metrics']): boolean {
  for (const name of Object.keys(metrics)) if (!metrics[name]?.every(Number.isFinite)) return false;
  return true;
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
