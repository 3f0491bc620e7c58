/** A range of UTF-16 offsets in a file; `file` is relative to the workspace root, with forward slashes. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export const DIAGNOSTIC_CODES = [
  'config/not-text',
  'config/too-large',
  'config/yaml-syntax',
  'config/too-many-aliases',
  'config/forbidden-key',
  'config/duplicate-key',
  'config/unknown-key',
  'config/missing-key',
  'config/invalid-type',
  'config/invalid-value',
  'config/empty',
  'config/illegal-name',
  'config/illegal-folder',
  'config/path-escapes',
  'config/duplicate-file-name',
  'config/duplicate-datasource',
  'config/unknown-datasource',
  'config/two-files',
  'graph/unknown-experiment',
  'graph/unknown-output',
  'graph/cycle',
  'graph/duplicate-experiment',
  'graph/replicate-mismatch',
  'graph/nothing-to-compare',
  'modules/two-languages',
  'modules/mixed-languages',
  'nx/ignored-input',
] as const;

/** Stable and documented in docs/reference/diagnostics.md. */
export type DiagnosticCode = (typeof DIAGNOSTIC_CODES)[number];

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: DiagnosticCode;
  readonly message: string;
  /** What to do about it, in one sentence. */
  readonly remedy: string;
  readonly at: Span;
  readonly related?: readonly { readonly message: string; readonly at: Span }[];
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** The text of a file, or undefined when it is not known (the frame is then left out). */
export type SourceText = (file: string) => string | undefined;

interface Position {
  readonly line: number;
  readonly column: number;
}

const FRAME_CONTEXT = 1;
const FRAME_WIDTH = 100;
/** Columns that stay in view before a position beyond the frame's width. */
const FRAME_LEAD = 40;
const MAX_QUOTE = 100;

/** Renders a diagnostic as `file:line:column`, message, code frame and remedy, without a trailing newline. */
export function formatDiagnostic(diagnostic: Diagnostic, sourceText: SourceText): string {
  const { severity, code, message, remedy, at, related = [] } = diagnostic;
  const lines = [
    `${locate(at, sourceText)} - ${severity} ${code}: ${presentable(message)}`,
    ...frame(at, sourceText),
  ];
  for (const other of related) {
    lines.push(
      `  ${locate(other.at, sourceText)} ${presentable(other.message)}`,
      ...frame(other.at, sourceText),
    );
  }
  lines.push(`  ${presentable(remedy)}`);
  return lines.join('\n');
}

/** Messages quote what the user wrote, which may be of any length and hold anything. */
function presentable(message: string): string {
  return printable(message).replace(/"([^"]*)"/g, (quoted, text: string) =>
    text.length > MAX_QUOTE ? `"${text.slice(0, MAX_QUOTE)}…"` : quoted,
  );
}

/** Sorts by file, then by position, so that a report reads from top to bottom. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      compareText(a.at.file, b.at.file) || a.at.start - b.at.start || compareText(a.message, b.message),
  );
}

/** Order by UTF-16 code units: the same on every machine, unlike `localeCompare`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function assertNever(value: never): never {
  throw new Error(`Bug: unexpected ${JSON.stringify(value)}`);
}

/** `file:line:column`, one-based; just the file when its text is not known. */
export function locate(at: Span, sourceText: SourceText): string {
  const text = sourceText(at.file);
  const file = printable(at.file);
  if (text === undefined) return file;
  const { line, column } = positionOf(text, at.start);
  return `${file}:${line}:${column}`;
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}

function frame(at: Span, sourceText: SourceText): string[] {
  const text = sourceText(at.file);
  if (text === undefined || text.includes('\0')) return [];
  const { line, column } = positionOf(text, at.start);
  const all = text.split('\n');
  const first = Math.max(1, line - FRAME_CONTEXT);
  const last = Math.min(all.length, line + FRAME_CONTEXT);
  const gutter = String(last).length;
  // A position far to the right moves the window; what is cut off to the left shows as an ellipsis.
  const cut = column > FRAME_WIDTH - FRAME_LEAD / 2 ? column - FRAME_LEAD : 0;
  const rendered: string[] = [''];
  for (let n = first; n <= last; n++) {
    const content = printable((all[n - 1] ?? '').trimEnd());
    const shown = view(content, cut);
    if (n !== line && shown === '') continue;
    rendered.push(`  ${n === line ? '>' : ' '} ${String(n).padStart(gutter)} | ${shown}`.trimEnd());
    if (n === line) {
      const width = Math.min(at.end - at.start, content.length - column + 1, cut + FRAME_WIDTH - column + 1);
      rendered.push(
        `    ${' '.repeat(gutter)} | ${' '.repeat(column - cut - 1)}${'^'.repeat(Math.max(1, width))}`,
      );
    }
  }
  rendered.push('');
  return rendered;
}

function view(content: string, cut: number): string {
  const shown = content.slice(cut, cut + FRAME_WIDTH);
  const start = cut > 0 && shown !== '' ? `…${shown.slice(1)}` : shown;
  return content.length > cut + FRAME_WIDTH ? `${start.slice(0, -1)}…` : start;
}

/**
 * Control characters could move the cursor or hide text, and signs of direction could reorder it: a config is not
 * trusted with that.
 */
export function printable(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return text.replace(/\t/g, ' ').replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\ufffd');
}
