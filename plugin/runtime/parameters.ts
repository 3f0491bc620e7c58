import { deepFreeze, type Json, type JsonObject } from '../base/json.ts';
import { suggestion } from '../base/names.ts';
import { declaredParameters, isRequired } from './context.ts';
import { ReplicateError } from './failures.ts';

/** How a function of the user's is called: with declared parameters or without. */
export interface Parameters {
  /** What `ctx.params` shows: the context with the arguments over it. */
  readonly visible: JsonObject;
  /** The declared parameters with their values; undefined when none are declared. */
  readonly declared: Readonly<Record<string, unknown>> | undefined;
}

/** A function as far as its parameters are known. */
export interface Declaring {
  readonly parameters: Parameters;
  /** It declares none, and may look at any of them. */
  readonly looks: boolean;
}

/**
 * Finds the value of every parameter: from the arguments, else from the context, else the default.
 *
 * @throws ReplicateError for a parameter without a value, an argument that is no parameter, or a value of another
 * type than the default
 */
export function resolveParameters(
  step: string,
  callable: unknown,
  args: JsonObject,
  context: JsonObject,
): Parameters {
  const visible = deepFreeze(Object.keys(args).length === 0 ? context : { ...context, ...args });
  const defaults = declaredParameters(callable);
  if (defaults === undefined) return { visible, declared: undefined };
  const known = Object.keys(defaults);
  for (const parameter of Object.keys(args)) {
    if (!known.includes(parameter)) {
      const remedy = suggestion(parameter, known, `parameters of ${step}`);
      throw new ReplicateError({ reason: 'parameter-unknown', parameter, step, remedy });
    }
  }
  const declared = known.map((parameter) => {
    const fallback = defaults[parameter];
    if (!Object.hasOwn(visible, parameter)) {
      if (isRequired(fallback)) throw new ReplicateError({ reason: 'parameter-missing', parameter, step });
      return [parameter, fallback] as const;
    }
    const value = visible[parameter] as Json;
    checkType(step, parameter, fallback, value);
    return [parameter, value] as const;
  });
  return { visible, declared: Object.freeze(Object.fromEntries(declared)) };
}

/** A default that is a number, text or a truth value fixes the type; `null` stands for "none" in any type. */
function checkType(step: string, parameter: string, fallback: unknown, value: Json): void {
  const expected = typeof fallback;
  if (expected !== 'number' && expected !== 'string' && expected !== 'boolean') return;
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  if (value === null || typeof value === expected) return;
  throw new ReplicateError({ reason: 'parameter-type', parameter, step, expected: `a ${expected}`, got });
}

/**
 * Values of the context that reach no function, each in a sentence: most likely typos, or arguments that go before them. Where a function may
 * look at any of them, nothing is said.
 */
export function unusedParameters(context: JsonObject, functions: readonly Declaring[]): string[] {
  if (functions.some(({ looks }) => looks)) return [];
  const known = new Set(functions.flatMap(({ parameters }) => Object.keys(parameters.declared ?? {})));
  const reaches = ({ declared = {}, visible }: Parameters, name: string): boolean =>
    Object.hasOwn(declared, name) && visible[name] === context[name];
  return Object.keys(context).flatMap((name) => {
    if (functions.some(({ parameters }) => reaches(parameters, name))) return [];
    return known.has(name)
      ? `"${name}" has no effect here: arguments in "steps" or "datasource" go before it.`
      : `no step or datasource has a parameter "${name}". ${suggestion(name, [...known], 'parameters')}`;
  });
}
