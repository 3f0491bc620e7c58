import { closest, distance } from 'fastest-levenshtein';

/** Names become target names and folder names, so they keep to characters that are safe in both. */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]*$';
export const NAME_RULE = 'letters, digits, ".", "_" and "-", starting with a letter or a digit';

/** The condition that every experiment has; treatments are compared with it. */
export const BASELINE = 'baseline';

/** Beside the conditions' folders in results/, so that no condition may have its name. */
export const REPORT_FOLDER = 'report';

/** Metadata of the research object whose root is results/. */
export const CRATE_FILE = 'ro-crate-metadata.json';
/** More tasks than that for one condition help nobody. */
export const MAX_SHARDS = 1000;

/** What the name of a shard's target has after that of its condition, which therefore may not end so. */
export const SHARD_SUFFIX = /--(\d+of\d+)$/;

const name = new RegExp(NAME_PATTERN);
export const MAX_NAME_LENGTH = 100;

export function isLegalName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && name.test(text);
}

/**
 * Why Nx would not notice what changes in a folder: it puts the path into patterns as it is. Continues "The folder …".
 *
 * @param folder relative to the workspace root, with forward slashes
 */
export function folderProblem(folder: string): string | undefined {
  const [sign] = /[()[\]{}*?\\]/.exec(folder) ?? [];
  if (sign !== undefined) return `has a "${sign}" in its path`;
  return folder.startsWith('!') ? 'has a path that begins with "!"' : undefined;
}

/** The candidate nearest to a mistyped name, if one is near enough to be what was meant. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  const pool = [...candidates];
  if (pool.length === 0 || typed.length > MAX_NAME_LENGTH) return undefined;
  const best = closest(
    typed.toLowerCase(),
    pool.map((c) => c.toLowerCase()),
  );
  const match = pool.find((c) => c.toLowerCase() === best);
  // Of a name of one or two letters, a change of that many letters leaves nothing.
  const near = Math.min(typed.length - 1, Math.max(2, Math.floor(typed.length / 3)));
  return match !== undefined && distance(typed.toLowerCase(), best) <= near ? match : undefined;
}

/** `Did you mean "x"?`, or the list of what there is. */
export function suggestion(typed: string, candidates: readonly string[], what: string): string {
  const near = nearest(typed, candidates);
  if (near !== undefined) return `Did you mean "${near}"?`;
  if (candidates.length === 0) return `There are no ${what}.`;
  const shown = candidates.slice(0, 10).join(', ');
  return `Known ${what}: ${shown}${candidates.length > 10 ? ', …' : ''}.`;
}
