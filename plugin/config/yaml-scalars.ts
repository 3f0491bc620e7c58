export type Scalar = string | number | boolean | null;

const NULL = /^(?:|~|null|Null|NULL)$/;
const BOOLEAN = /^(?:true|True|TRUE|false|False|FALSE)$/;
const INTEGER = /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const INFINITY = /^[-+]?\.(?:inf|Inf|INF)$/;
const NOT_A_NUMBER = /^\.(?:nan|NaN|NAN)$/;

/** What text without quotation marks and without a tag means in YAML's core schema: YAML 1.2.2, section 10.3.2. */
export function plainScalar(text: string): Scalar {
  if (NULL.test(text)) return null;
  return booleanOf(text) ?? numberOf(text) ?? text;
}

/** What text means under a tag of the core schema; nothing when the tag is another one, or does not fit. */
export function taggedScalar(tag: string, text: string): Scalar | undefined {
  switch (tag) {
    case 'str':
      return text;
    case 'null':
      return NULL.test(text) ? null : undefined;
    case 'bool':
      return booleanOf(text);
    case 'int':
      return INTEGER.test(text) ? Number(text) : undefined;
    case 'float':
      return numberOf(text);
    default:
      return undefined;
  }
}

function booleanOf(text: string): boolean | undefined {
  return BOOLEAN.test(text) ? text.toLowerCase() === 'true' : undefined;
}

function numberOf(text: string): number | undefined {
  if (INTEGER.test(text) || FLOAT.test(text)) return Number(text);
  if (INFINITY.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return NOT_A_NUMBER.test(text) ? Number.NaN : undefined;
}
