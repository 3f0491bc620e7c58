import { packageFile } from '../base/package-files.ts';
import { ProcessWorker } from './process-worker.ts';
import type { WorkerListener } from './protocol.ts';

const MAIN = packageFile('dist/workers/node/main.cjs');

/** A Node process that runs replicates. */
export class NodeWorker extends ProcessWorker {
  /** @param env for the process; that of this one when it is left out */
  constructor(listener: WorkerListener, env: NodeJS.ProcessEnv = process.env) {
    super(listener, {
      command: process.execPath,
      args: [MAIN, String(process.pid)],
      env,
      describeExit: (_code, tail) =>
        /heap out of memory|Allocation failed/i.test(tail)
          ? { how: 'it ran out of memory. NODE_OPTIONS=--max-old-space-size=<megabytes> gives it more' }
          : { hint: 'did a step call process.exit?' },
      closeMs: 0,
    });
  }
}
