import { late } from '../base/late.ts';

/** The YAML library. */
export const yaml = late<typeof import('yaml')>('yaml');
