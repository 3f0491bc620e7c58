import { existsSync, readFileSync } from 'node:fs';
import { DIAGNOSTIC_CODES } from '../../build/base/diagnostics.js';

const golden = (name) => new URL(`../../../tests/golden/diagnostics/${name}.txt`, import.meta.url);

/** By code: what it means, what to do, and the golden message that shows it. */
const ENTRIES = {
  'config/not-text': {
    means:
      'The file has bytes that are no UTF-8, or a zero byte: it is a binary file, or text in another encoding.',
    remedy: 'Save it as UTF-8. If it is no configuration, move it away or narrow `include` in nx.json.',
    example: 'not-utf-8',
  },
  'config/too-large': {
    means: 'The file has more than 64 KiB, or values nested more than 64 levels deep.',
    remedy: 'Keep data in files of its own, name them under `inputs`, and let a datasource read them.',
    example: 'nested-brackets',
  },
  'config/yaml-syntax': {
    means: 'The text is not YAML, or more than one document.',
    remedy:
      'Correct it at the place that is shown. After a first mistake the others may be guesses: start at the top.',
    example: 'syntax-colon-in-text',
  },
  'config/too-many-aliases': {
    means:
      'With its aliases written out, the file has more than 50000 values, or an alias stands inside of its own anchor.',
    remedy: 'Use fewer aliases, or none: `params` already share values between conditions.',
    example: 'alias-of-itself',
  },
  'config/forbidden-key': {
    means:
      'The keys `__proto__`, `constructor` and `prototype` would change how objects behave in JavaScript.',
    remedy: 'Choose another name.',
    example: 'forbidden-key',
  },
  'config/duplicate-key': {
    means: 'A mapping has a key twice, so that one of the two values would be lost.',
    remedy: 'Keep one of the two.',
    example: 'duplicate-key',
  },
  'config/unknown-key': {
    means:
      'The key has no meaning at this place. A typing mistake would otherwise be a setting without effect.',
    remedy: 'Correct it. Values for steps belong in `params`, in a treatment, or in the arguments of a step.',
    example: 'unknown-key',
  },
  'config/missing-key': {
    means: 'A key that is required is not there.',
    remedy: 'Add it; [config.md](config.md) shows how it looks.',
    example: 'missing-keys',
  },
  'config/invalid-type': {
    means: 'A value has another type than its key takes.',
    remedy: 'Write a value of the type that the message names.',
    example: 'arguments-as-a-list',
  },
  'config/invalid-value': {
    means: 'A value has the right type, but is outside of its range or not of its form.',
    remedy: 'Choose a value that the message allows.',
    example: 'step-with-arguments-beside',
  },
  'config/empty': {
    means:
      'Something stands here without content: a key without a value, a list or a mapping without entries.',
    remedy: 'Fill it in, or remove the key where it is optional.',
    example: 'blank-steps-and-datasource',
  },
  'config/illegal-name': {
    means:
      'A name cannot become a target or a folder: it has other signs than letters, digits, `.`, `_` and `-`, is too long, is reserved, or differs from another one only in letter case.',
    remedy: 'Choose another name. If it is the name of the folder, add `name:`.',
    example: 'illegal-folder-name',
  },
  'config/illegal-folder': {
    means:
      'The path of the folder has a sign that Nx reads as a pattern, since it puts the path into the globs of inputs and outputs as it is. Changes in the folder would not be noticed, and old results would be taken for new ones.',
    remedy:
      "Rename the folder that the message names. Blanks and the signs `!`, `+`, `@`, `,` and `'` are no problem, except for a `!` at the very beginning.",
    example: 'illegal-folder',
  },
  'config/path-escapes': {
    means:
      'The path of an output leaves the folder of its replicate, or an input lies outside of the workspace.',
    remedy: 'Write a relative path with forward slashes that stays inside.',
    example: 'path-escapes-outputs',
  },
  'config/duplicate-file-name': {
    means:
      'Two outputs would write one file, at least on systems that ignore letter case, or one needs a folder where the other has a file.',
    remedy: 'Give one of the two another `file_name`.',
    example: 'duplicate-file-name-by-case',
  },
  'config/duplicate-datasource': {
    means: 'Two entries of the list below `datasource` have one alias.',
    remedy: 'Give one of the two another alias.',
    example: 'duplicate-datasource',
  },
  'config/unknown-datasource': {
    means: 'A treatment swaps a datasource that the experiment does not have.',
    remedy: 'Correct the alias. A treatment can replace datasources, but not add any.',
    example: 'unknown-datasource',
  },
  'config/two-files': {
    means: 'A folder has both a `config.yaml` and a `config.yml`; it can be one experiment only.',
    remedy: 'Keep one of the two.',
    example: 'two-files',
  },
  'graph/unknown-experiment': {
    means: 'A reference names an experiment that the workspace does not have.',
    remedy: 'Correct the name. If the experiment exists, see that `include` in nx.json reaches its folder.',
    example: 'unknown-experiment',
  },
  'graph/unknown-output': {
    means: 'The experiment exists, but declares no such output.',
    remedy: 'Correct the name after the `#`, or declare the output there.',
    example: 'unknown-output',
  },
  'graph/cycle': {
    means:
      'Experiments read each other, directly or by others, so that none of them could be first. Treatments count.',
    remedy: 'Remove one of the references; the message shows each of them.',
    example: 'cycle-of-three',
  },
  'graph/duplicate-experiment': {
    means: 'Two experiments have one name, or names that differ only in letter case.',
    remedy: 'Give each a `name:` of its own; without one, the name is that of the folder.',
    example: 'duplicate-experiment-by-case',
  },
  'graph/replicate-mismatch': {
    means:
      'An experiment reads others that have different numbers of replicates, so that their replicates cannot be paired. A number of 1 agrees with any.',
    remedy: 'Give the experiments that it reads the same number.',
    example: 'replicate-mismatch',
  },
  'graph/nothing-to-compare': {
    means:
      'A hypothesis compares treatments with the baseline, and the experiment has no treatment, nor has any that it reads.',
    remedy: 'Add a treatment, or remove the hypothesis.',
    example: 'nothing-to-compare',
  },
  'modules/two-languages': {
    means:
      'A folder has the same module in Python and in TypeScript or JavaScript, such as `steps.py` and `steps.ts`.',
    remedy: 'Remove one of them.',
  },
  'modules/mixed-languages': {
    means:
      'The `datasources`, `steps` and `outputs` of a folder are not all in one language. `verifiers` may be in another.',
    remedy:
      'Write them in one language, or make two experiments of them: artifacts pass from one language to the other.',
  },
  'nx/ignored-input': {
    means:
      'An input that the experiment declares is ignored by Git or by `.nxignore`, so that Nx does not see it change.',
    remedy: 'Do not ignore the file, or make it an output of an experiment and refer to that.',
  },
};

const INTRODUCTION = `<!-- Written by "npm run docs" from plugin/scripts/docs/diagnostics.mjs and tests/golden/diagnostics. -->

# Diagnostics

What may be wrong with the configuration of experiments. A message begins with the place as \`file:line:column\`, names a code
of this list, shows the line, and ends with what to do. All problems of all files are reported at once. The codes are stable.

`;

export function renderDiagnosticsReference() {
  const undocumented = DIAGNOSTIC_CODES.filter((code) => !Object.hasOwn(ENTRIES, code));
  const unknown = Object.keys(ENTRIES).filter((code) => !DIAGNOSTIC_CODES.includes(code));
  if (undocumented.length + unknown.length > 0) {
    throw new Error(`docs/diagnostics.mjs lacks [${undocumented}] and has [${unknown}], which are no codes`);
  }
  return INTRODUCTION + DIAGNOSTIC_CODES.map(renderEntry).join('\n');
}

function renderEntry(code) {
  const { means, remedy, example } = ENTRIES[code];
  const shown = example === undefined ? '' : `\n\`\`\`text\n${messageOf(code, example)}\n\`\`\`\n`;
  return `## ${code}\n\n${means}\n${shown}\n${remedy}\n`;
}

/** The first message of that code in a golden file; each begins in the first column. */
function messageOf(code, name) {
  const text = existsSync(golden(name)) ? readFileSync(golden(name), 'utf8') : '';
  const found = text.split(/\n(?=\S)/).find((message) => message.includes(` ${code}: `));
  if (found === undefined) throw new Error(`tests/golden/diagnostics/${name}.txt shows no ${code}`);
  return found.trimEnd();
}
