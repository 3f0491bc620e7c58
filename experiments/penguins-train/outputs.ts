import { readFileSync } from 'node:fs';
import LogisticRegression from 'ml-logistic-regression';

/** A fitted model and the columns that it wants. */
export interface Model {
  columns: string[];
  regression: LogisticRegression;
}

/** Loader: revives the model that the built-in dump_json wrote. */
export function load_model(path: string): Model {
  const { columns, regression } = JSON.parse(readFileSync(path, 'utf8'));
  return { columns, regression: LogisticRegression.load(regression) };
}
