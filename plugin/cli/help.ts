import { wrap } from '../report/text-grid.ts';
import { COMMANDS, type CommandName, describedCommand } from './commands.ts';

const COLUMNS = 80;

const EXIT_CODES = `Exit codes: 0 all is well; 1 something failed or is damaged; 2 the command line
or a config.yaml is wrong; 130 stopped by Ctrl-C.
`;

/** Fits a screen of 80 columns and 24 lines. */
export function renderHelp(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const commands = Object.values(COMMANDS).map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: nx-experiments <command> [options]

Commands:
${commands.join('\n')}

Options: --json prints data instead of text, --help explains a command,
--version prints the version.

${EXIT_CODES}`;
}

export function renderCommandHelp(name: CommandName): string {
  const { usage, summary, help, examples } = describedCommand(name);
  const options = [...help, ['--json', 'print data instead of text'] as const];
  const width = Math.max(...options.map(([option]) => option.length));
  return `Usage: nx-experiments ${name} ${usage}

${summary.charAt(0).toUpperCase()}${summary.slice(1)}.

Options:
${options.flatMap(([option, text]) => optionLines(option.padEnd(width), text)).join('\n')}

${examples.length > 1 ? 'Examples' : 'Example'}:
${examples.map((example) => `  ${example}`).join('\n')}

${EXIT_CODES}`;
}

/** What an option does beside it, on as many lines as that takes. */
function optionLines(option: string, text: string): string[] {
  const before = `  ${option}`;
  return wrap(text, { width: COLUMNS - before.length }).map((line, i) =>
    i === 0 ? `${before}${line}` : `${' '.repeat(before.length)}${line.slice(2)}`,
  );
}
