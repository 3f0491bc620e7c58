import type { ExecutorContext } from '@nx/devkit';
import { stopSignal } from '../../nx/stop-signal.ts';
import { runTasks } from '../../nx/tasks.ts';
import { TerminalReporter } from '../../nx/terminal.ts';

/** Runs one experiment task: the engine of the batch with a graph of one. */
export default async function runOne(
  options: Record<string, unknown>,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const { projectName = '', targetName = '' } = context;
  const task = { id: `${projectName}:${targetName}`, project: projectName, target: targetName, options };
  const reporter = new TerminalReporter((line) => process.stdout.write(`${line}\n`));
  let success = false;
  await runTasks([task], context, {
    signal: stopSignal(),
    onEvent: reporter.report,
    onTask: (outcome) => {
      success = outcome.status === 'success';
      process.stdout.write(outcome.output);
    },
  });
  return { success };
}
