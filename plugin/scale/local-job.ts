import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ElementState, Job } from './engine.ts';
import { elementsOf, LocalEngine, type LocalState } from './local.ts';
import { identityOf } from './process-identity.ts';

/** The process of one job of the local engine: waits for the jobs before it, then runs one element after the other. */

const POLL_MS = 100;

const [, , folder = '', id = ''] = process.argv;
const engine = new LocalEngine(folder);
const self = identityOf(process.pid);
const elements: Record<string, ElementState> = {};
let running: ChildProcess | undefined;
let stopped = false;

process.on('SIGTERM', () => {
  stopped = true;
  // Its workers are in its group, or end with it.
  if (running?.pid !== undefined) process.kill(-running.pid, 'SIGTERM');
});

const job = engine.jobOf(id);
if (job === undefined) throw new Error(`Bug: there is no job ${id} in ${folder}`);
for (const element of elementsOf(job)) elements[element] = 'pending';
save();
void runAll(job);

async function runAll(job: Job): Promise<void> {
  const ready = await before(job);
  for (const element of elementsOf(job)) {
    if (stopped || !ready) {
      elements[element] = stopped ? 'cancelled' : 'skipped';
    } else {
      elements[element] = 'running';
      save();
      const code = await run(job, element);
      elements[element] = stopped ? 'cancelled' : code === 0 ? 'succeeded' : 'failed';
    }
    // Nothing is written after the last one has ended: its folder may be removed then.
    save();
  }
}

/** @returns whether all jobs before it have succeeded */
async function before({ after }: Job): Promise<boolean> {
  const jobs = after.map((other) => ({ id: other, name: engine.jobOf(other)?.name ?? '' }));
  while (!stopped) {
    const states = (await engine.poll(jobs)).map(({ state }) => state);
    if (states.every((state) => state === 'succeeded')) return true;
    if (states.some((state) => state === 'failed' || state === 'cancelled' || state === 'skipped'))
      return false;
    await sleep(POLL_MS);
  }
  return false;
}

function run({ command, logs }: Job, element: string): Promise<number | null> {
  const [program = '', ...args] = command;
  const log = openSync(join(logs, `${element}.log`), 'a');
  const child = spawn(program, [...args, element], { cwd: '/', detached: true, stdio: ['ignore', log, log] });
  running = child;
  save();
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => {
      running = undefined; // its number may be given to another one
      resolve(code);
    });
  });
}

/** Whole or not at all. */
function save(): void {
  const path = join(folder, id, 'state.json');
  const child = running?.pid === undefined ? undefined : identityOf(running.pid);
  writeFileSync(`${path}.new`, JSON.stringify({ ...self, elements, child } satisfies LocalState));
  renameSync(`${path}.new`, path);
}
