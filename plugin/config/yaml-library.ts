import { late } from '../base/late.ts';
import { packageFile } from '../base/package-files.ts';

/** What `scripts/bundle.mjs` puts into each file: one file loads in a quarter of the time of seventy. */
type Yaml = Pick<
  typeof import('yaml'),
  | 'Composer'
  | 'isAlias'
  | 'isCollection'
  | 'isMap'
  | 'isPair'
  | 'isScalar'
  | 'isSeq'
  | 'Parser'
  | 'visit'
  | 'YAMLParseError'
>;
type FastYaml = Pick<
  typeof import('js-yaml'),
  'COLLECTION_STYLE' | 'EVENT_ID' | 'getScalarValue' | 'parseEvents' | 'SCALAR_STYLE'
>;

/** Reads all of YAML, and goes on after a mistake. */
export const yaml = late<Yaml>(packageFile('dist/vendor/yaml.cjs'));

/** Several times as fast; it stops at the first mistake. */
export const fastYaml = late<FastYaml>(packageFile('dist/vendor/js-yaml.cjs'));
