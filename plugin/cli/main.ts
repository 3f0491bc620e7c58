import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { VERSION } from '../base/version.ts';
import { refusePlugNPlay } from '../io/plug-n-play.ts';
import { COMMANDS, describedCommand, isCommand } from './commands.ts';
import { renderCommandHelp, renderHelp } from './help.ts';
import { loadCommand } from './load-command.ts';

const FLAG = { type: 'boolean' } as const;
const EVERYWHERE = { json: FLAG, help: { ...FLAG, short: 'h' }, version: FLAG } as const;

/** Runs what was typed. @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await act(args);
  } catch (error) {
    const usage = error instanceof SettingsError;
    const { message, stack, syscall } = error as NodeJS.ErrnoException;
    // A disk that is full or read-only is not our bug.
    process.stderr.write(`${usage || syscall !== undefined ? message : stack}\n`);
    return usage ? 2 : 1;
  }
}

async function act(args: readonly string[]): Promise<number> {
  const at = args.findIndex((arg) => !arg.startsWith('-'));
  const command = args[at];
  if (command === '__complete') {
    const { complete } = await import('./completions.ts');
    print(complete(args.slice(at + 1), process.cwd()));
    return 0;
  }
  if (command === '__element') {
    const { runElement } = await import('./element.ts');
    return runElement(args.slice(at + 1), print);
  }
  if (command === undefined) return withoutCommand(args);
  if (command === 'help') return act([...args.slice(0, at), ...args.slice(at + 1), '--help']);
  if (!isCommand(command)) {
    throw new SettingsError(
      `Unknown command "${command}". ${suggestion(command, Object.keys(COMMANDS), 'commands')}`,
    );
  }
  const rest = [...args.slice(0, at), ...args.slice(at + 1)];
  const { values, positionals } = parse(rest, describedCommand(command).options, ` ${command}`);
  const { json = false, help = false, version = false, ...options } = values;
  if (help) {
    print(renderCommandHelp(command));
    return 0;
  }
  if (version) return withoutCommand(['--version']);
  refusePlugNPlay();
  const run = await loadCommand(command);
  return run({ names: positionals, options, json: json === true, cwd: process.cwd() }, print);
}

function withoutCommand(args: readonly string[]): number {
  const { values } = parse(args, {}, '');
  if (values.version) {
    print(`${VERSION}\n`);
    return 0;
  }
  print(renderHelp());
  return values.help ? 0 : 2;
}

function parse(
  args: readonly string[],
  options: ReturnType<typeof describedCommand>['options'],
  command: string,
) {
  const all = { ...EVERYWHERE, ...options };
  try {
    return parseArgs({ args: withValues(args, all), allowPositionals: true, options: all });
  } catch (error) {
    throw new SettingsError(
      `${problemOf(error as Error, Object.keys(all))}\nSee nx-experiments${command} --help.`,
    );
  }
}

/** `--jobs -1` gives a value, though not a good one: the command says what it takes. Node would ask whether -1 is an option. */
function withValues(
  args: readonly string[],
  options: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>,
): string[] {
  const given: string[] = [];
  for (const arg of args) {
    const before = given.at(-1) ?? '';
    const takesIt = before.startsWith('--') && options[before.slice(2)]?.type === 'string';
    if (takesIt && /^-\d/.test(arg)) given[given.length - 1] = `${before}=${arg}`;
    else given.push(arg);
  }
  return given;
}

function problemOf({ message }: Error, names: readonly string[]): string {
  const [, unknown] = /^Unknown option '(-[^']*)'/.exec(message) ?? [];
  const known = names.map((name) => `--${name}`);
  if (unknown !== undefined) return `Unknown option "${unknown}". ${suggestion(unknown, known, 'options')}`;
  const [, option, problem] = /^Option '(?:-\w, )?(-[\w-]+)[^']*' (.*)/.exec(message) ?? [];
  if (option === undefined) return message;
  return problem?.startsWith('does not take') ? `"${option}" takes no value.` : `"${option}" needs a value.`;
}

/** Synchronous, so that nothing is lost at the end; a reader that has gone, such as `head`, is no problem. */
function print(text: string | Uint8Array): void {
  let bytes = Buffer.from(text as string);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
