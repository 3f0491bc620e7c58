/** By its name, in JavaScript and in Python; not where it is set. */
const READS = [
  /\bprocess\s*\.\s*env\s*\??\.\s*(?<name>[A-Za-z_]\w*)\b(?!\s*=[^=])/g,
  /\bprocess\s*\.\s*env\s*(?:\?\.\s*)?\[\s*(?<quote>['"`])(?<name>\w+)\k<quote>\s*\](?!\s*=[^=])/g,
  /\benviron\s*\[\s*(?<quote>['"])(?<name>\w+)\k<quote>\s*\](?!\s*=[^=])/g,
  /\b(?:environ\s*\.\s*get|getenv)\s*\(\s*(?<quote>['"])(?<name>\w+)\k<quote>/g,
];
const TAKEN_APART = /\{(?<names>[^{}]*)\}\s*=\s*process\s*\.\s*env\b/g;

const COMMENT = /^\s*(?:\/\/|\/?\*|#)|\s(?:\/\/|#)\s/;

/** Results should not depend on these, and declaring a secret would make them: who looks is not warned. */
const OF_THE_MACHINE =
  /(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$|^(?:NODE_ENV|NODE_OPTIONS|CI|DEBUG|HOME|USER|PATH|PWD|SHELL|LANG|TZ|TERM|TMPDIR|TEMP|TMP|HOSTNAME|NO_COLOR|FORCE_COLOR)$|^(?:NX_|npm_|PYTHON|LC_|XDG_)/i;

/** Environment variables that a source text reads by their names, in order, each once. Those that say nothing of results are left out. */
export function variablesIn(text: string): string[] {
  if (!text.includes('env')) return [];
  const names = READS.flatMap((pattern) => found(pattern, text).map(({ groups }) => groups?.name ?? ''));
  for (const { groups } of found(TAKEN_APART, text)) {
    for (const part of groups?.names?.split(',') ?? []) names.push(/^\s*(\w+)/.exec(part)?.[1] ?? '');
  }
  return [...new Set(names)].filter((name) => name !== '' && !OF_THE_MACHINE.test(name)).sort();
}

function found(pattern: RegExp, text: string): RegExpExecArray[] {
  return [...text.matchAll(pattern)].filter(({ index }) => {
    const line = text.slice(text.lastIndexOf('\n', index) + 1, index);
    return !COMMENT.test(line);
  });
}
