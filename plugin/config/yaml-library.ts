import { late } from '../base/late.ts';
import { packageFile } from '../base/package-files.ts';

/** The YAML library, in one file: it loads in a quarter of the time of its seventy. */
export const yaml = late<typeof import('yaml')>(packageFile('dist/vendor/yaml.cjs'));
