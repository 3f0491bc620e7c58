import { packageFile } from '../base/package-files.ts';
import { ProcessWorker } from './process-worker.ts';
import type { WorkerListener } from './protocol.ts';

const MAIN = packageFile('workers/python/main.py');

/** For `teardown` of steps. */
const CLOSE_MS = 5000;

/** A Python process that runs replicates. */
export class PythonWorker extends ProcessWorker {
  /**
   * @param command path of the interpreter
   * @param env for the process; that of this one when it is left out
   */
  constructor(listener: WorkerListener, command: string, env: NodeJS.ProcessEnv = process.env) {
    super(listener, {
      command,
      args: [MAIN],
      // The order of sets, and the encoding of files, must not depend on the machine.
      env: { ...env, PYTHONHASHSEED: '0', PYTHONUTF8: '1' },
      describeExit: () => ({ hint: 'did a step call os._exit?' }),
      closeMs: CLOSE_MS,
    });
  }
}
