/** Names of files are not patterns: signs that a glob would read are put in brackets. */
export function escapeGlob(path: string): string {
  return path.replace(/[[\]{}*?]/g, (sign) => `[${sign}]`);
}
