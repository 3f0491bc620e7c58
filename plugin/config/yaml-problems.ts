import type { Document, YAMLError } from 'yaml';
import type { Diagnostic, Span } from '../base/diagnostics.ts';
import { yaml } from './yaml-library.ts';

/** More than this many say nothing more: after a first problem, the parser guesses. */
const MAX_PROBLEMS = 10;

interface Explanation {
  readonly message: string;
  readonly remedy: string;
  readonly start?: number;
  readonly end?: number;
}

/** What the YAML parser found wrong, in words for the author of the file. */
export function yamlProblems(file: string, text: string, document: Document.Parsed): Diagnostic[] {
  const seen = new Set<string>();
  const problems: Diagnostic[] = [];
  for (const error of [...document.errors, ...document.warnings]) {
    const { message, remedy, start = error.pos[0], end = error.pos[1] } = explain(error, text, document);
    // One unclosed bracket or quotation mark is reported several times.
    const key = `${message}\0${start}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const at = within(text, { file, start, end: Math.max(end, start + 1) });
    problems.push({ severity: 'error', code: 'config/yaml-syntax', message, remedy, at });
    if (problems.length === MAX_PROBLEMS) break;
  }
  return problems;
}

function explain({ code, message, pos }: YAMLError, text: string, document: Document.Parsed): Explanation {
  const spot = JSON.stringify(text.slice(pos[0], pos[1]).split(/\s/)[0]);
  switch (code) {
    case 'TAB_AS_INDENT':
      return { message: 'A tab stands where only spaces may indent.', remedy: 'Indent with spaces.' };
    case 'MULTIPLE_DOCS':
      return {
        message: 'A second document begins here.',
        remedy: 'Keep one document: remove the line "---" and what follows it.',
      };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        message: 'A mapping cannot begin on the line of its key: ": " stands here a second time.',
        remedy: 'Put text that holds ": " in quotation marks, and a mapping on lines of its own.',
      };
    case 'BAD_ALIAS':
      return { message: sentence(message), remedy: 'Name an anchor that stands above it.' };
    case 'TAG_RESOLVE_FAILED':
      return {
        message: `The tag ${spot} is not known here.`,
        remedy: 'Remove it, or put text that begins with "!" in quotation marks.',
      };
    case 'MISSING_CHAR':
      return /closing ['"]quote/.test(message) ? unclosedQuote(pos[0], document) : fallback(message);
    case 'BAD_INDENT': {
      const bracket = /end with a ([\]}])/.test(message) ? openBracket(pos[0], text, document) : undefined;
      return (
        bracket ?? {
          message: sentence(message),
          remedy: 'Give this line as many spaces as the lines that it belongs with.',
        }
      );
    }
    default:
      return fallback(message);
  }
}

function fallback(message: string): Explanation {
  return { message: sentence(message), remedy: 'Correct the YAML at this place.' };
}

function unclosedQuote(before: number, document: Document.Parsed): Explanation {
  let start: number | undefined;
  yaml().visit(document, (_key, node) => {
    if (yaml().isScalar(node) && node.type?.startsWith('QUOTE') && node.range && node.range[0] < before)
      start = node.range[0];
  });
  return {
    message: 'This quotation mark is never closed.',
    remedy: 'Close it at the end of the text.',
    ...(start === undefined ? {} : { start, end: start + 1 }),
  };
}

function openBracket(before: number, text: string, document: Document.Parsed): Explanation | undefined {
  let start: number | undefined;
  yaml().visit(document, (_key, node) => {
    const range = yaml().isCollection(node) && node.flow ? node.range : undefined;
    if (range && range[0] < before && before <= range[2]) start = range[0];
  });
  if (start === undefined) return undefined;
  return {
    message: `The bracket "${text[start]}" is never closed.`,
    remedy: `Close it with "${text[start] === '[' ? ']' : '}'}".`,
    start,
    end: start + 1,
  };
}

/** A place that can be pointed at: the last visible character where the text is at its end. */
function within(text: string, at: Span): Span {
  if (at.start < text.trimEnd().length) return { ...at, end: Math.min(at.end, text.length) };
  const last = Math.max(0, text.trimEnd().length - 1);
  return { ...at, start: last, end: Math.min(last + 1, text.length) };
}

function sentence(message: string): string {
  const line = message.split('\n')[0]?.trim() ?? '';
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
