import type { Event, MappingEvent, ScalarEvent, SequenceEvent } from 'js-yaml';
import type { Span } from '../base/diagnostics.ts';
import {
  FORBIDDEN_KEYS,
  isWrittenAsFloat,
  keyText,
  type LocatedEntry,
  type LocatedNode,
  MAX_DEPTH,
} from './located-node.ts';
import { fastYaml } from './yaml-library.ts';

/** What the two libraries read in different ways: marks of documents, directives, tabs and other stray signs, escapes beyond Unicode. */
const UNUSUAL = /^ *(?:---|\.\.\.|%)|[\t\ufeff]|\r(?!\n)|\\U/m;
/** Those that are wrong, and the one that is no text. */
const OTHER_KEYS = [...FORBIDDEN_KEYS, '<<'];
const NUMBER =
  /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$/;

/**
 * Reads YAML as nearly every configuration is written: mappings, lists, plain and quoted values.
 *
 * @returns nothing for a text that has anything else, or anything wrong: then the other library has the word
 */
export function readFast(file: string, text: string): LocatedNode | undefined {
  if (UNUSUAL.test(text)) return undefined;
  try {
    return new Reader(file, text).read();
  } catch {
    return undefined; // it stops at the first mistake, and also at some that are none
  }
}

/** Thrown where a text has something else. */
const SOMETHING_ELSE = new Error('not read by this reader');

type Collection = SequenceEvent | MappingEvent;

/** Takes the events one after the other. */
class Reader {
  private readonly ids = fastYaml().EVENT_ID;
  private readonly styles = fastYaml().SCALAR_STYLE;
  private readonly events: readonly Event[];
  private next = 0;
  /** Behind the last sign that was read. */
  private end = 0;

  constructor(
    private readonly file: string,
    private readonly text: string,
  ) {
    this.events = fastYaml().parseEvents(text, { maxDepth: MAX_DEPTH });
  }

  read(): LocatedNode {
    if (this.take()?.type !== this.ids.DOCUMENT) throw SOMETHING_ELSE;
    const node = this.node();
    this.take();
    if (this.next < this.events.length) throw SOMETHING_ELSE;
    return node;
  }

  private node(): LocatedNode {
    const event = this.take();
    switch (event?.type) {
      case this.ids.SCALAR:
        return this.scalar(event);
      case this.ids.SEQUENCE:
        return this.list(event);
      case this.ids.MAPPING:
        return this.mapping(event);
      default:
        throw SOMETHING_ELSE;
    }
  }

  private list(event: SequenceEvent): LocatedNode {
    this.open(event, '[');
    const items: LocatedNode[] = [];
    while (!this.closes()) items.push(this.node());
    return { kind: 'list', items, at: this.close(event, ']') };
  }

  private mapping(event: MappingEvent): LocatedNode {
    this.open(event, '{');
    const entries: LocatedEntry[] = [];
    const seen = new Set(OTHER_KEYS);
    while (!this.closes()) {
      const key = this.node();
      if (key.kind !== 'scalar') throw SOMETHING_ELSE;
      const name = keyText(key.value, this.text.slice(key.at.start, key.at.end));
      if (seen.has(name)) throw SOMETHING_ELSE;
      seen.add(name);
      entries.push({ key: name, keyAt: key.at, value: this.node() });
    }
    return { kind: 'mapping', entries, at: this.close(event, '}') };
  }

  private scalar(event: ScalarEvent): LocatedNode {
    const { PLAIN, SINGLE_QUOTED, DOUBLE_QUOTED } = this.styles;
    const { style, valueStart, valueEnd } = event;
    if (valueStart < 0 || isNamed(event)) throw SOMETHING_ELSE;
    const text = fastYaml().getScalarValue(this.text, event);
    if (style === PLAIN) {
      const value = plainValue(text);
      const at = this.span(valueStart, valueEnd);
      return { kind: 'scalar', value, at, ...(isWrittenAsFloat(text, value) ? { isFloat: true } : {}) };
    }
    if (style !== SINGLE_QUOTED && style !== DOUBLE_QUOTED) throw SOMETHING_ELSE;
    return { kind: 'scalar', value: text, at: this.span(valueStart - 1, valueEnd + 1) };
  }

  private open(event: Collection, bracket: string): void {
    // A pair in a list, as in `[a: 1]`, is a mapping without brackets.
    if (isNamed(event) || (this.isFlow(event) && this.text[event.start] !== bracket)) throw SOMETHING_ELSE;
    this.end = this.isFlow(event) ? event.start + 1 : event.start;
  }

  /** A collection in brackets ends behind its bracket, and another one behind its last value. */
  private close(event: Collection, bracket: string): Span {
    this.take();
    if (!this.isFlow(event)) return this.span(event.start, this.end);
    const gap = /(?:[\s,]|(?<=\s)#.*)*/y;
    gap.lastIndex = this.end;
    gap.test(this.text);
    if (this.text[gap.lastIndex] !== bracket) throw SOMETHING_ELSE;
    return this.span(event.start, gap.lastIndex + 1);
  }

  private isFlow({ style }: Collection): boolean {
    return style === fastYaml().COLLECTION_STYLE.FLOW;
  }

  private closes(): boolean {
    return this.events[this.next]?.type === this.ids.POP;
  }

  private take(): Event | undefined {
    return this.events[this.next++];
  }

  private span(start: number, end: number): Span {
    this.end = end;
    return { file: this.file, start, end };
  }
}

/** With an anchor, or with a tag. */
function isNamed({ anchorStart, tagStart }: ScalarEvent | Collection): boolean {
  return anchorStart >= 0 || tagStart >= 0;
}

/** What text without quotation marks means in YAML's core schema: YAML 1.2.2, section 10.3.2. */
function plainValue(text: string): string | number | boolean | null {
  if (/^(?:~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:true|True|TRUE|false|False|FALSE)$/.test(text)) return text.toLowerCase() === 'true';
  if (/^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/.test(text)) throw SOMETHING_ELSE;
  if (!NUMBER.test(text)) return text;
  const value = Number(text);
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    throw SOMETHING_ELSE;
  return value;
}
