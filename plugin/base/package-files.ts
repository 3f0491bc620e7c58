import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Of this package, wherever its code has been bundled to. */
const manifest = createRequire(import.meta.url).resolve('nx-experiments/package.json');

/** Absolute path of a file of this package. */
export function packageFile(path: string): string {
  return join(dirname(manifest), path);
}
