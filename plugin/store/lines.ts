import { crc32 } from 'node:zlib';
import { type ArtifactRecord, parseMetrics, spellNonFinite } from '../runtime/manifest.ts';
import type { StoredReplicate } from './store.ts';

/** One line of a record file: a checksum, the replicate's key and what it came to. */
export function encodeLine(key: string, replicate: StoredReplicate): string {
  const { metrics, artifacts, ms } = replicate;
  const body = JSON.stringify([key, metrics, artifacts, ms], spellNonFinite);
  return `${checksum(body)} ${body}\n`;
}

/** Undefined when the line was cut off or changed. */
export function decodeLine(line: string): readonly [key: string, replicate: StoredReplicate] | undefined {
  const body = line.slice(9);
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(body)) return undefined;
  const [key, recorded, artifacts, ms] = JSON.parse(body) as [
    string,
    unknown,
    Record<string, ArtifactRecord>,
    number,
  ];
  const metrics = parseMetrics(recorded);
  return metrics && [key, { metrics, artifacts, ms }];
}

/** Lines of a record file; the number of damaged ones beside. A last line without its end was being written. */
export function decodeLines(text: string): { entries: Map<string, StoredReplicate>; damaged: number } {
  const entries = new Map<string, StoredReplicate>();
  let damaged = 0;
  const lines = text.split('\n');
  lines.pop();
  for (const line of lines) {
    const entry = decodeLine(line);
    if (entry === undefined) damaged++;
    else entries.set(entry[0], entry[1]);
  }
  return { entries, damaged };
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
