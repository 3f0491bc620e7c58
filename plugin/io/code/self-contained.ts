/** Of these modules of Node nothing reaches beyond the thread that uses them. */
const HARMLESS = new Set([
  'assert',
  'assert/strict',
  'buffer',
  'crypto',
  'events',
  'perf_hooks',
  'string_decoder',
  'timers',
  'timers/promises',
  'url',
  'util',
  'zlib',
]);

/** The package itself, for its types and its helpers. */
const OWN_PACKAGE = 'nx-experiments';

/** Names by which code reaches the process, or what a text does not show. Part of a comment or of a text counts too. */
const REACHES_OUT = /\b(?:process|require|module|global|globalThis|eval|Function|ExperimentGraph)\b|\\u/;

/** Without one of these words a module imports nothing. */
const IMPORTS = /\b(?:import|from|require)\b/;

/** Whether a module may import anything; a word in a comment or a text counts too. */
export function importsSomething(text: string): boolean {
  return IMPORTS.test(text);
}

/** Whether a module reaches nothing outside of the modules of its workspace that it names, so that a thread contains it. */
export function isSelfContained(
  text: string,
  { exact, prefix }: { readonly exact: readonly string[]; readonly prefix: readonly string[] },
): boolean {
  return prefix.length === 0 && exact.every(isHarmless) && !REACHES_OUT.test(text);
}

function isHarmless(specifier: string): boolean {
  return (
    specifier.startsWith('.') || specifier === OWN_PACKAGE || HARMLESS.has(specifier.replace(/^node:/, ''))
  );
}
