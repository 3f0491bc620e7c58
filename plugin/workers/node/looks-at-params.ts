/**
 * Whether a function that declares no parameters may look at `ctx.params`, by its text: not when it takes no context, or does
 * nothing with it but take other members. Where that cannot be told, it may.
 *
 * @param place of the context among its parameters
 */
export function looksAtParams(callable: (...args: never[]) => unknown, place: number): boolean {
  const text = Function.prototype.toString.call(callable);
  if (text.includes('[native code]') || /\b(?:arguments|eval)\b/.test(text)) return true;
  const parameters = parametersOf(text);
  if (parameters === undefined || parameters.some((parameter) => parameter.startsWith('...'))) return true;
  const context = parameters[place];
  if (context === undefined) return false;
  if (context.startsWith('{')) return context.includes('...') || /\bparams\b/.test(context);
  if (!/^[A-Za-z_$][\w$]*$/.test(context)) return true;
  const name = context.replaceAll('$', '\\$');
  const uses = text.matchAll(new RegExp(`(?<![\\w$.])${name}(?![\\w$])(\\s*\\??\\.\\s*([\\w$]+))?`, 'g'));
  // The first one is the parameter itself.
  return [...uses].slice(1).some(([, , member]) => member === undefined || member === 'params');
}

/** Those of a function, as they are written; undefined where its text is none that is understood. */
function parametersOf(text: string): string[] | undefined {
  const bare = /^(?:async\s+)?([A-Za-z_$][\w$]*)\s*=>/.exec(text);
  if (bare !== null) return [bare[1] ?? ''];
  const start = text.indexOf('(');
  if (start < 0 || !/^(?:async\b|function\b|[\s*\w$])*$/.test(text.slice(0, start))) return undefined;
  const found: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at);
    if ('([{'.includes(character)) depth++;
    // What could hold a bracket that opens nothing.
    else if ('\'"`/'.includes(character)) return undefined;
    else if (')]}'.includes(character) || (character === ',' && depth === 1)) {
      const isEnd = character === ')' && depth === 1;
      if (isEnd || character === ',') {
        const parameter = text.slice(from, at).trim();
        if (parameter !== '') found.push(parameter);
        from = at + 1;
      }
      if (isEnd) return found;
      if (character !== ',') depth--;
    }
  }
  return undefined;
}
