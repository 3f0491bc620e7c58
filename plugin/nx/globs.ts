/**
 * Names of files are not patterns: signs that a glob would read are put in brackets. Nx does not take a "!" in brackets, which
 * means "not" at the beginning only: any one sign stands for it there.
 */
export function escapeGlob(path: string): string {
  return path.replace(/[()[\]{}*?]/g, (sign) => `[${sign}]`).replace(/^!/, '?');
}
