import { readFileSync } from 'node:fs';
import { type Bird, MEASURES, type Species } from '../../libs/penguins/bird.ts';
import { formatCsv, parseCsv } from '../../libs/penguins/csv.ts';

export function dump_birds(birds: Bird[]): string {
  return formatCsv(
    ['id', 'species', 'island', ...MEASURES],
    birds.map((bird) => [bird.id, bird.species, bird.island, ...MEASURES.map((measure) => bird[measure])]),
  );
}

export function load_birds(path: string): Bird[] {
  return parseCsv(readFileSync(path, 'utf8')).map((record) => ({
    id: Number(record.id),
    species: record.species as Species,
    island: String(record.island),
    beak_length: Number(record.beak_length),
    beak_depth: Number(record.beak_depth),
    flipper_length: Number(record.flipper_length),
    body_mass: Number(record.body_mass),
  }));
}
