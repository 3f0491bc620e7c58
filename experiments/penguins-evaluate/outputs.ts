import { readFileSync } from 'node:fs';
import { type Identity, SPECIES, type Species } from '../../libs/penguins/bird.ts';
import { formatCsv, parseCsv } from '../../libs/penguins/csv.ts';

export interface Prediction extends Identity {
  predicted: Species;
  /** One for each of SPECIES; they sum to 1. */
  probabilities: number[];
}

export function dump_predictions(predictions: Prediction[]): string {
  return formatCsv(
    ['id', 'species', 'island', 'predicted', ...SPECIES.map((species) => `p_${species}`)],
    predictions.map(({ id, species, island, predicted, probabilities }) => [
      id,
      species,
      island,
      predicted,
      ...probabilities.map((p) => p.toFixed(6)),
    ]),
  );
}

/** What `dump_predictions` wrote. */
export function load_predictions(path: string): Prediction[] {
  return parseCsv(readFileSync(path, 'utf8')).map((record) => ({
    id: Number(record.id),
    species: record.species as Species,
    island: String(record.island),
    predicted: record.predicted as Species,
    probabilities: SPECIES.map((species) => Number(record[`p_${species}`])),
  }));
}
