import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { stopSignal } from '../../nx/stop-signal.ts';
import { runTasks, type TaskOutcome } from '../../nx/tasks.ts';
import { TerminalReporter } from '../../nx/terminal.ts';

interface BatchAnswer {
  task: string;
  result: {
    success: boolean;
    status: TaskOutcome['status'];
    terminalOutput: string;
    startTime: number;
    endTime: number;
  };
}

/** Runs all experiment tasks of an Nx run in one process, and answers for each as it ends. */
export default async function runBatch(
  taskGraph: TaskGraph,
  options: Record<string, Record<string, unknown>>,
  _overrides: unknown,
  context: ExecutorContext,
): Promise<AsyncGenerator<BatchAnswer>> {
  return answers(taskGraph, options, context);
}

async function* answers(
  taskGraph: TaskGraph,
  options: Record<string, Record<string, unknown>>,
  context: ExecutorContext,
): AsyncGenerator<BatchAnswer> {
  const tasks = Object.values(taskGraph.tasks).map((task) => ({
    id: task.id,
    project: task.target.project,
    target: task.target.target,
    options: options[task.id] ?? {},
  }));
  const reporter = new TerminalReporter((line) => process.stdout.write(`${line}\n`));
  const queue: TaskOutcome[] = [];
  let wake = (): void => {};
  let over = false;
  const running = runTasks(tasks, context, {
    signal: stopSignal(),
    onEvent: reporter.report,
    onTask: (outcome) => {
      queue.push(outcome);
      wake();
    },
  }).finally(() => {
    over = true;
    wake();
  });
  for (;;) {
    for (let outcome = queue.shift(); outcome !== undefined; outcome = queue.shift()) yield toAnswer(outcome);
    if (over && queue.length === 0) break;
    if (queue.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (over || queue.length > 0) resolve();
      });
    }
  }
  await running;
}

function toAnswer({ task, status, output, startedAt, endedAt }: TaskOutcome): BatchAnswer {
  return {
    task,
    result: {
      success: status === 'success',
      status,
      terminalOutput: output,
      startTime: startedAt,
      endTime: endedAt,
    },
  };
}
