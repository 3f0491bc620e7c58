import { readdirSync, readFileSync } from 'node:fs';
import { posix, relative, resolve, sep } from 'node:path';
import ts from 'typescript';

/** A source file of the plugin as the rules see it; paths are relative to plugin/. */
export interface Source {
  readonly path: string;
  /** Modules that it imports, type-only imports too: plugin files by path, others by specifier. */
  readonly imports: readonly string[];
  /** `Date.now` and the like, as written. */
  readonly members: readonly string[];
  readonly hasDefaultExport: boolean;
  readonly hasAny: boolean;
}

export function readSources(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => path.endsWith('.ts') && !/^(build|dist|node_modules|scripts)\/|\/files\//.test(path))
    .sort()
    .map((path) => parseSource(path, readFileSync(resolve(folder, path), 'utf8')));
}

export function parseSource(path: string, text: string): Source {
  const imports = new Set<string>();
  const members = new Set<string>();
  let hasDefaultExport = false;
  let hasAny = false;
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) imports.add(target(path, specifier));
    if (ts.isPropertyAccessExpression(node))
      members.add(`${node.expression.getText(file)}.${node.name.text}`);
    // With arguments it depends on these alone.
    if (ts.isNewExpression(node) && !node.arguments?.length)
      members.add(`new ${node.expression.getText(file)}`);
    if (ts.isExportAssignment(node) || isDefault(node)) hasDefaultExport = true;
    if (node.kind === ts.SyntaxKind.AnyKeyword) hasAny = true;
    ts.forEachChild(node, visit);
  };
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  visit(file);
  return { path, imports: [...imports], members: [...members], hasDefaultExport, hasAny };
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : undefined;
  if (!ts.isCallExpression(node)) return undefined;
  const dynamic =
    node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require';
  return dynamic ? textOf(node.arguments[0]) : undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteral(node) ? node.text : undefined;
}

function isDefault(node: ts.Node): boolean {
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  return (
    ts.canHaveModifiers(node) && !!ts.getModifiers(node)?.some((m) => m.kind === ts.SyntaxKind.DefaultKeyword)
  );
}

function target(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return relative('.', posix.join(posix.dirname(from), specifier))
    .split(sep)
    .join('/');
}
