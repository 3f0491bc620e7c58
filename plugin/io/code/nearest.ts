import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest folder, from this one upwards, that holds a file or folder of that name. */
export function nearestWith(name: string, folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, name))) return at;
    if (at === dirname(at)) return undefined;
  }
}
