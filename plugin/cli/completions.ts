import { SettingsError } from '../base/settings-error.ts';
import { conditionsOf } from '../graph/conditions.ts';
import { experimentOf } from '../graph/graph.ts';
import { PICTURE_FORMATS } from '../picture/draw.ts';
import { ENGINES } from '../scale/submission.ts';
import { submissionIds } from '../scale/submissions-folder.ts';
import type { Command } from './command.ts';
import { COMMANDS, describedCommand, isCommand } from './commands.ts';
import { openWorkspace, readGraph } from './workspace.ts';

/** Each asks the command itself, which knows the names of the workspace. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_nx_experiments() {
  local IFS=$'\\n' words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _nx_experiments nx-experiments
`,
  zsh: `#compdef nx-experiments
_nx_experiments() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _nx_experiments nx-experiments
`,
  fish: `function __nx_experiments
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c nx-experiments -f -a '(__nx_experiments)'
`,
};

/** `nx-experiments completions <shell>`: a script for the shell. */
export const run: Command['run'] = async ({ names: [shell = ''] }, print) => {
  const script = SCRIPTS[shell];
  if (script === undefined) {
    throw new SettingsError('"completions" takes a shell: bash, zsh or fish.');
  }
  print(script);
  return 0;
};

/** What may stand in the place of the last word, one a line. Never fails: a shell has no place for errors. */
export function complete(args: readonly string[], cwd: string): string {
  const words = args[0] === '--' ? args.slice(1) : args;
  try {
    const found = candidates(words, cwd).filter((word) => word.startsWith(words.at(-1) ?? ''));
    return found.map((word) => `${word}\n`).join('');
  } catch {
    return '';
  }
}

function candidates(words: readonly string[], cwd: string): readonly string[] {
  const [command = '', ...rest] = words;
  if (rest.length === 0) return Object.keys(COMMANDS);
  if (!isCommand(command)) return [];
  const { options } = describedCommand(command);
  const last = rest.at(-1) ?? '';
  if (last.startsWith('-')) return [...Object.keys(options), 'json', 'help'].map((name) => `--${name}`);
  const before = rest.at(-2);
  if (command === 'diff' && before === '--format') return ['table', 'json', 'markdown'];
  if (before === '--fail-on') return ['worse'];
  if (before === '--format') return PICTURE_FORMATS;
  if (before === '--strategy') return ['resume', 'rerun'];
  if (before === '--engine') return ENGINES;
  if (command === 'status' || command === 'collect' || command === 'cancel')
    return submissionIds(openWorkspace(cwd).root);
  if (command === 'store') return ['stats', 'prune', 'verify'];
  if (command === 'completions') return Object.keys(SCRIPTS);
  const { graph } = readGraph(cwd);
  const conditions = [...new Set(graph.order.flatMap((name) => conditionsOf(graph, name)))];
  if (before === '--treatment' || before === '--condition') return conditions;
  if (command === 'diff-treatments' && rest.length < 3) return conditions;
  return graph.order.filter((name) => !experimentOf(graph, name).config.presentation.hidden).sort();
}
