import { readFileSync } from 'node:fs';

/** What one replicate publishes. */
export interface Summary {
  learning_rate: number;
  estimate: number;
  samples: number;
}

export function dump_json(summary: Summary): string {
  return `${JSON.stringify(summary, null, 2)}\n`;
}

export function load_json(path: string): Summary {
  return JSON.parse(readFileSync(path, 'utf8'));
}
