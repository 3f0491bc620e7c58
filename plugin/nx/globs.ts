/** Names of files are not patterns: signs that a glob would read are put in brackets. */
export function escapeGlob(path: string): string {
  return path.replace(/[[\]{}*?]/g, (sign) => `[${sign}]`);
}

/** A declared input as globs: what names a folder means everything in it. */
export function inputGlobs(declared: string): string[] {
  const path = declared.replace(/\/+$/, '');
  return path.endsWith('*') ? [path] : [path, `${path}/**/*`];
}
