import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** One row of the data file; null where a measure was not taken. */
export interface RawPenguin {
  Species: string;
  Island: string;
  'Beak Length (mm)': number | null;
  'Beak Depth (mm)': number | null;
  'Flipper Length (mm)': number | null;
  'Body Mass (g)': number | null;
}

/** The 344 rows that the package vega-datasets carries. Its version is in the lock file, and so in the hash. */
export function read_penguins(): RawPenguin[] {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  return JSON.parse(readFileSync(new URL('../data/penguins.json', `file://${entry}`), 'utf8'));
}
