import { late } from '../base/late.ts';

const fastGlob = late<typeof import('fast-glob')>('fast-glob');

/** Config files below a folder, relative to it, with forward slashes; sorted. */
export function findConfigs(root: string): string[] {
  return fastGlob()
    .sync('**/config.{yaml,yml}', { cwd: root, ignore: ['**/node_modules/**', '**/results/**'] })
    .sort();
}
