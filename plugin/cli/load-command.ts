import type { Command } from './command.ts';
import type { CommandName } from './commands.ts';

/** Each command is loaded when it is asked for. */
export async function loadCommand(name: CommandName): Promise<Command['run']> {
  switch (name) {
    case 'run':
      return (await import('./run.ts')).run;
    case 'plan':
      return (await import('./plan.ts')).run;
    case 'show':
      return (await import('./show.ts')).run;
    case 'diff':
      return (await import('./diff.ts')).run;
    case 'diff-treatments':
      return (await import('./diff-treatments.ts')).run;
    case 'graph':
      return (await import('./graph.ts')).run;
    case 'matrix':
      return (await import('./matrix.ts')).run;
    case 'store':
      return (await import('./store.ts')).run;
    case 'submit':
      return (await import('./submit.ts')).run;
    case 'status':
      return (await import('./status.ts')).run;
    case 'collect':
      return (await import('./collect.ts')).run;
    case 'cancel':
      return (await import('./cancel.ts')).run;
    case 'completions':
      return (await import('./completions.ts')).run;
  }
}
