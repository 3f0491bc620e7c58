import { withMetrics } from 'nx-experiments';

/** A row of either file of predictions, as the built-in loader for .csv and that of penguins-evaluate read it. */
interface Told {
  id: number;
  species: string;
  predicted: string;
}

/** Shares of the birds that both models have told. */
export function compare({ neighbours, logistic }: { neighbours: Told[]; logistic: Told[] }) {
  const other = new Map(logistic.map((bird) => [bird.id, bird.predicted]));
  const both = neighbours.filter(({ id }) => other.has(id));
  const agreed = both.filter(({ id, predicted }) => other.get(id) === predicted);
  const share = (birds: Told[], of: Told[]) => birds.length / of.length;
  return withMetrics(both, {
    agreement: share(agreed, both),
    accuracy_where_agreed: share(
      agreed.filter(({ species, predicted }) => species === predicted),
      agreed,
    ),
  });
}
