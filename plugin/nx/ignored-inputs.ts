import type { Diagnostic } from '../base/diagnostics.ts';
import type { ExperimentNode } from '../graph/graph.ts';
import { inputGlobs } from '../io/changes/declared-inputs.ts';
import { git } from '../io/git.ts';
import { escapeGlob } from './globs.ts';

/**
 * Declared inputs that lie on the disk but that Nx does not see, because an ignore file hides them: a change of them
 * would not reach any hash, and an old result would be taken for a new one.
 */
export async function findIgnoredInputs(
  root: string,
  experiments: Iterable<ExperimentNode>,
): Promise<Diagnostic[]> {
  const declared = [...experiments].flatMap(({ config }) =>
    config.inputs.flatMap((input) => (input.type === 'files' ? [{ ...input, folder: config.folder }] : [])),
  );
  if (declared.length === 0) return [];
  const [{ default: glob }, { globWithWorkspaceContext }] = await Promise.all([
    import('fast-glob'),
    import('@nx/devkit/internal'),
  ]);
  const patterns = [...new Set(declared.flatMap((input) => inputGlobs(input.glob)))].sort();
  const visible = new Set(await globWithWorkspaceContext(root, patterns));
  const found = await Promise.all(
    declared.map(async ({ glob: pattern, folder, at }): Promise<Diagnostic[]> => {
      const files = await glob(inputGlobs(pattern), {
        cwd: root,
        dot: true,
        suppressErrors: true, // a file is no folder
        ignore: ['**/node_modules/**', '**/.git/**', '.nx/**', `${escapeGlob(folder)}/results/**`],
      });
      const hidden = files.sort().find((file) => !visible.has(file));
      if (hidden === undefined) return [];
      const more = files.filter((file) => !visible.has(file)).length - 1;
      return [
        {
          severity: 'error',
          code: 'nx/ignored-input',
          message: `Nx does not see "${hidden}"${more > 0 ? ` and ${more} more` : ''}: an ignore file hides it, so that a change of it would not run the experiment again.`,
          remedy: `Add the line "!${await ignoredPath(root, hidden)}" to the file .nxignore in the root of the workspace: Git goes on ignoring it, and Nx sees it.`,
          at,
        },
      ];
    }),
  );
  return found.flat();
}

/** The topmost folder above a file that Git ignores, else the file. */
async function ignoredPath(root: string, file: string): Promise<string> {
  const parts = file.split('/');
  const folders = parts.slice(1).map((_, i) => `${parts.slice(0, i + 1).join('/')}/`);
  try {
    const args = ['-c', 'core.quotePath=false', 'check-ignore', '--', ...folders];
    return (await git(root, args)).split('\n')[0] || file;
  } catch {
    return file; // Git ignores none of them, or there is no Git
  }
}
