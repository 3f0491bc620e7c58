import { parseArgs } from 'node:util';
import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';

const HELP = `Usage: nx-experiments <command> [options]

Commands:
  plan [experiment…]  say what a run would do and why, without running anything
  store stats         sizes of the run store
  store prune         remove what was used longest ago, down to the size limit
  store verify        check every artifact and record of the store

Options:
  --json              print data instead of text
  --help              print this text
  --version           print the version

Exit codes: 0 all is well; 1 something is damaged or failed;
2 the command or a config.yaml is wrong.
`;

const COMMANDS = ['plan', 'store'];

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.version) {
    const { createRequire } = await import('node:module');
    print(`${createRequire(import.meta.url)('nx-experiments/package.json').version}\n`);
    return 0;
  }
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) {
    print(HELP);
    return values.help ? 0 : 2;
  }
  const cwd = process.cwd();
  switch (command) {
    case 'plan': {
      const { planCommand } = await import('./plan.ts');
      print(await planCommand(cwd, rest, values.json));
      return 0;
    }
    case 'store': {
      const { storeCommand } = await import('./store.ts');
      const { text, ok } = await storeCommand(cwd, rest[0], values.json);
      print(text);
      return ok ? 0 : 1;
    }
    default:
      throw new SettingsError(`Unknown command "${command}". ${suggestion(command, COMMANDS, 'commands')}`);
  }
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: flag, help: flag, version: flag },
    });
  } catch (error) {
    throw new SettingsError(`${(error as Error).message}\nSee nx-experiments --help.`);
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof SettingsError;
  process.stderr.write(`${usage ? error.message : (error as Error).stack}\n`);
  process.exitCode = usage ? 2 : 1;
}
