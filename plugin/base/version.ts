import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('nx-experiments/package.json') as { version: string };

/** Of this package. */
export const VERSION = manifest.version;
