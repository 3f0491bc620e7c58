import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** All that is no folder below a folder, relative to it, with forward slashes. @throws when a folder cannot be read */
export function filesBelow(folder: string, below = ''): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesBelow(join(folder, entry.name), `${below}${entry.name}/`)
      : [`${below}${entry.name}`],
  );
}
