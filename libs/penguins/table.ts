import { readFileSync } from 'node:fs';
import type { Identity, Species } from './bird.ts';
import { formatCsv, parseCsv } from './csv.ts';

/** What a model sees: one row of numbers for each bird. */
export interface FeatureTable {
  /** Names of the features, in the order of `values`. */
  columns: string[];
  rows: FeatureRow[];
}

export interface FeatureRow extends Identity {
  /** One number for each column, in the unit of that column. */
  values: number[];
}

/** Ids of the birds on both sides of one random split, ascending. */
export interface Split {
  train: number[];
  test: number[];
}

const IDENTITY = ['id', 'species', 'island'];

/** Writer: CSV with the identity of each bird before its features. */
export function dump_table({ columns, rows }: FeatureTable): string {
  return formatCsv(
    [...IDENTITY, ...columns],
    rows.map(({ id, species, island, values }) => [id, species, island, ...values]),
  );
}

/** Loader: what `dump_table` wrote. */
export function load_table(path: string): FeatureTable {
  const records = parseCsv(readFileSync(path, 'utf8'));
  const columns = Object.keys(records[0] ?? {}).filter((name) => !IDENTITY.includes(name));
  const rows = records.map((record) => ({
    id: Number(record.id),
    species: record.species as Species,
    island: String(record.island),
    values: columns.map((column) => Number(record[column])),
  }));
  return { columns, rows };
}

/** The rows of the given birds, in the order of the table. */
export function rowsOf({ rows }: FeatureTable, ids: readonly number[]): FeatureRow[] {
  const wanted = new Set(ids);
  return rows.filter(({ id }) => wanted.has(id));
}
