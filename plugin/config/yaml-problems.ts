import type { CST, Document, YAMLError } from 'yaml';
import type { Diagnostic, Span } from '../base/diagnostics.ts';
import { explainer, parser } from './yaml-library.ts';

/** More than this many say nothing more: after a first problem, the parser guesses. */
const MAX_PROBLEMS = 10;

interface Explanation {
  readonly message: string;
  readonly remedy: string;
  readonly start?: number;
  readonly end?: number;
}

/**
 * What is wrong with text that the parser refuses, or that holds several documents, in words for the author of the file.
 *
 * @param refusal what the parser threw: it says where it gave up, and no more
 */
export function yamlProblems(file: string, text: string, maxDepth: number, refusal?: unknown): Diagnostic[] {
  const tokens = [...new (explainer().Parser)().parse(text)];
  const tooDeep = tokens
    .map((token) => nestingExcess(token, maxDepth))
    .find((offset) => offset !== undefined);
  if (tooDeep !== undefined) {
    return [
      {
        severity: 'error',
        code: 'config/too-large',
        message: `Values are nested more than ${maxDepth} levels deep.`,
        remedy: 'Flatten the value, or move it into a file of its own.',
        at: { file, start: tooDeep, end: tooDeep + 1 },
      },
    ];
  }
  const document = compose(tokens, text.length);
  const seen = new Set<string>();
  const problems: Diagnostic[] = [];
  const add = ({ message, remedy, start, end }: Required<Explanation>): void => {
    // One unclosed bracket or quotation mark is reported several times.
    const key = `${message}\0${start}`;
    if (seen.has(key) || problems.length === MAX_PROBLEMS) return;
    seen.add(key);
    const at = within(text, { file, start, end: Math.max(end, start + 1) });
    problems.push({ severity: 'error', code: 'config/yaml-syntax', message, remedy, at });
  };
  for (const error of [...document.errors, ...document.warnings])
    add({ start: error.pos[0], end: error.pos[1], ...explain(error, text, document) });
  if (problems.length === 0) add(refused(refusal));
  return problems;
}

/** In the parser's own words, where the other one finds nothing wrong. */
function refused(refusal: unknown): Required<Explanation> {
  const known = refusal instanceof parser().YAMLException ? refusal : undefined;
  const start = known?.mark?.position ?? 0;
  const reason = known?.reason ?? 'the text cannot be read as YAML';
  return { ...fallback(`${reason[0]?.toUpperCase()}${reason.slice(1)}`), start, end: start + 1 };
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
  explainer().visit(document, (_key, node) => {
    if (explainer().isScalar(node) && node.type?.startsWith('QUOTE') && node.range && node.range[0] < before)
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
  explainer().visit(document, (_key, node) => {
    const range = explainer().isCollection(node) && node.flow ? node.range : undefined;
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

function compose(tokens: readonly CST.Token[], length: number): Document.Parsed {
  const composer = new (explainer().Composer)({ prettyErrors: false, uniqueKeys: false, merge: true });
  const [document, second] = composer.compose(tokens, true, length);
  if (document === undefined) throw new Error('Bug: the composer gave no document');
  if (second !== undefined) {
    const at: [number, number] = [second.range[0], second.range[0] + 3];
    document.errors.push(new (explainer().YAMLParseError)(at, 'MULTIPLE_DOCS', 'A second document'));
  }
  return document;
}

/**
 * The offset of the first collection beyond the depth limit. The composer recurses, and a stack that overflows in it
 * can end the whole process; the tokens before it and this walk do not recurse.
 */
function nestingExcess(token: CST.Token, maxDepth: number): number | undefined {
  const open: { readonly token: CST.Token; readonly depth: number }[] = [{ token, depth: 0 }];
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    if (top.token.type === 'document' && top.token.value)
      open.push({ token: top.token.value, depth: top.depth });
    if (!('items' in top.token)) continue;
    if (top.depth >= maxDepth) return top.token.offset;
    for (const { key, value } of top.token.items) {
      if (key) open.push({ token: key, depth: top.depth + 1 });
      if (value) open.push({ token: value, depth: top.depth + 1 });
    }
  }
  return undefined;
}
