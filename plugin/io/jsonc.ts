import { late } from '../base/late.ts';

const parser = late<typeof import('jsonc-parser')>('jsonc-parser');

/** JSON that may have comments and last commas, as nx.json and tsconfig files may. @throws SyntaxError */
export function parseJsonc(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (strict) {
    const errors: import('jsonc-parser').ParseError[] = [];
    const read = parser().parse(text, errors, { allowTrailingComma: true });
    if (errors.length > 0) throw strict;
    return read;
  }
}
