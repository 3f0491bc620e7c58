import { type Identity, SPECIES, type Species } from '../../libs/penguins/bird.ts';
import { formatCsv } from '../../libs/penguins/csv.ts';

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
