/** A declared input as globs: what names a folder means everything in it. */
export function inputGlobs(declared: string): string[] {
  const path = declared.replace(/\/+$/, '');
  return path.endsWith('*') ? [path] : [path, `${path}/**/*`];
}
