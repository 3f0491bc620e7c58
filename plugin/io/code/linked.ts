import { realpathSync } from 'node:fs';

/** What a path is a link to, or what lies there for a linked folder; undefined when it is no other one. */
export function targetOf(path: string): string | undefined {
  try {
    const target = realpathSync.native(path);
    return target === path ? undefined : target;
  } catch {
    return undefined; // whoever reads it hears of it
  }
}
