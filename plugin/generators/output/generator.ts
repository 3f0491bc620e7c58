import { posix } from 'node:path';
import { output, type Tree } from '@nx/devkit';
import { SettingsError } from '../../base/settings-error.ts';
import { BUILT_IN_LOADERS, BUILT_IN_WRITERS } from '../../workers/node/formats.ts';
import { experimentNamed, writeConfig } from '../experiments-of-tree.ts';
import { insertEntry } from '../insert-entry.ts';

export interface OutputOptions {
  readonly experiment: string;
  readonly name: string;
  readonly fileName?: string;
  readonly writer?: string;
  readonly loader?: string;
}

const EXTENSIONS = ['ts', 'mts', 'js', 'mjs', 'py'];

/** Adds an output. One that is there already with the same settings is left as it is. */
export default async function addOutput(tree: Tree, options: OutputOptions): Promise<void> {
  const { experiment, name, writer = 'dump_json', loader = 'load_json' } = options;
  const fileName = options.fileName ?? (writer === 'dump_json' ? `${name}.json` : name);
  const config = await experimentNamed(tree, experiment);
  const known = config.outputs.find(({ alias }) => alias === name);
  if (known !== undefined) {
    if (known.fileName === fileName && known.writer === writer && known.loader === loader) {
      output.note({ title: `${experiment} has the output ${name} already.` });
      return;
    }
    throw new SettingsError(`"${experiment}" has an output "${name}" already: change it in ${config.file}.`);
  }
  const text = tree.read(config.file, 'utf8') ?? '';
  writeConfig(tree, config.file, insertEntry(text, 'outputs', name, { file_name: fileName, writer, loader }));
  const python = tree.exists(posix.join(config.folder, 'steps.py'));
  output.note({
    title: python
      ? `Write it in a step: a parameter "${name}: Artifact", and ${name}.write(value)`
      : `Write it in a step: await ctx.artifact('${name}').write(value)`,
  });
  addFunctions(tree, config.folder, python ? 'outputs.py' : 'outputs.ts', [
    ...(Object.hasOwn(BUILT_IN_WRITERS, writer) ? [] : [{ name: writer, kind: 'writer' as const }]),
    ...(Object.hasOwn(BUILT_IN_LOADERS, loader) ? [] : [{ name: loader, kind: 'loader' as const }]),
  ]);
}

function addFunctions(
  tree: Tree,
  folder: string,
  usual: string,
  functions: readonly { readonly name: string; readonly kind: 'writer' | 'loader' }[],
): void {
  const path =
    EXTENSIONS.map((extension) => posix.join(folder, `outputs.${extension}`)).find((file) =>
      tree.exists(file),
    ) ?? posix.join(folder, usual);
  let text = tree.exists(path) ? (tree.read(path, 'utf8') ?? '') : '';
  for (const { name, kind } of functions) {
    if (!/^[A-Za-z_$][\w$]*$/.test(name))
      throw new SettingsError(`"${name}" cannot be the name of a function.`);
    if (
      new RegExp(
        `(^def|export\\s+(async\\s+)?(function|const|let))\\s+${name.replaceAll('$', '\\$')}\\b`,
        'm',
      ).test(text)
    )
      continue;
    if (path.endsWith('.py')) {
      text = withPython(text, name, kind);
      continue;
    }
    text =
      kind === 'writer'
        ? withWriter(text, name, /\.m?ts$/.test(path))
        : withLoader(text, name, /\.m?ts$/.test(path));
  }
  if (functions.length > 0) tree.write(path, text);
}

function withWriter(text: string, name: string, typed: boolean): string {
  const head = typed
    ? `export function ${name}(value: unknown): string {`
    : `export function ${name}(value) {`;
  return `${separated(text)}/** Turns a value into the text of the file. */\n${head}\n  return \`\${JSON.stringify(value)}\\n\`;\n}\n`;
}

function withLoader(text: string, name: string, typed: boolean): string {
  const head = typed ? `export function ${name}(path: string): unknown {` : `export function ${name}(path) {`;
  const imported = /import\s*\{[^}]*\breadFileSync\b[^}]*\}\s*from\s*['"]node:fs['"]/.test(text);
  const start = imported
    ? text
    : `import { readFileSync } from 'node:fs';\n${text === '' ? '' : `\n${text}`}`;
  return `${separated(start)}/** Reads the file back. */\n${head}\n  return JSON.parse(readFileSync(path, 'utf8'));\n}\n`;
}

function withPython(text: string, name: string, kind: 'writer' | 'loader'): string {
  const start = /^import json$/m.test(text) ? text : `import json\n${text === '' ? '' : `\n${text}`}`;
  const added =
    kind === 'writer'
      ? `def ${name}(value):\n    """Turns a value into the text of the file."""\n    return json.dumps(value) + "\\n"\n`
      : `def ${name}(path):\n    """Reads the file back."""\n    return json.loads(path.read_text())\n`;
  return `${start.trimEnd()}\n\n\n${added}`;
}

function separated(text: string): string {
  return text === '' ? '' : `${text.trimEnd()}\n\n`;
}
