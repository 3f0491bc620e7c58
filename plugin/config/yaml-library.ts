import { late } from '../base/late.ts';
import { packageFile } from '../base/package-files.ts';

/** Reads YAML as events with their places; one small file of the package. */
export const parser = late<Pick<typeof import('js-yaml'), Taken>>(packageFile('dist/vendor/js-yaml.cjs'));

/** `scripts/bundle.mjs` puts these into the file. */
type Taken =
  | 'COLLECTION_STYLE'
  | 'EVENT_ID'
  | 'SCALAR_STYLE'
  | 'YAMLException'
  | 'getScalarValue'
  | 'parseEvents';

/** Takes eight times as long, and goes on after a mistake: it explains what the parser refuses. */
export const explainer = late<typeof import('yaml')>('yaml');
