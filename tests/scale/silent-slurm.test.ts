import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SilentEngineError, UncertainJobError } from '../../plugin/build/scale/engine.js';
import { SlurmEngine } from '../../plugin/build/scale/slurm.js';
import { submissionIds } from '../../plugin/build/scale/submissions-folder.js';
import { submitParts } from '../../plugin/build/scale/submit.js';
import { Lab } from '../support/engine.ts';

const LIMITS = { sbatch: 300, squeue: 300, scancel: 300 };
const JOBS = [{ id: '7', name: 'job' }];
const HANGS = 'sleep 60 & sleep 60';

let lab: Lab;

beforeEach(() => {
  lab = new Lab();
  vi.stubEnv('PATH', `${lab.root}:${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  lab[Symbol.dispose]();
});

function command(name: string, script: string): void {
  lab.write({ [name]: `#!/bin/sh\n${script}\n` });
  chmodSync(join(lab.root, name), 0o755);
}

async function thrownBy(act: () => Promise<unknown>): Promise<unknown> {
  return act().then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('a squeue that hangs is silent, and may answer later', async () => {
  const engine = new SlurmEngine(LIMITS);
  command('squeue', HANGS);
  const thrown = await thrownBy(() => engine.poll(JOBS));
  expect(thrown).toBeInstanceOf(SilentEngineError);
  expect((thrown as Error).message).toBe(
    'squeue did not answer within 0.3 s. What was submitted goes on; when this stays so, ask those who run the cluster (scontrol ping).',
  );
  command('squeue', 'echo "7|N/A|RUNNING|None|n1|job"');
  expect(await engine.poll(JOBS)).toHaveLength(1);
});

test('a scancel that hangs is told', async () => {
  command('squeue', 'echo "7|N/A|RUNNING|None|n1|job"');
  command('scancel', HANGS);
  const thrown = await thrownBy(() => new SlurmEngine(LIMITS).cancel(JOBS));
  expect((thrown as Error).message).toBe('scancel did not answer within 0.3 s');
});

test('a job of which nobody knows whether it was taken keeps the number of its submission', async () => {
  command('sbatch', HANGS);
  const { root } = lab;
  const resources = { cpus: 1, extra: [] };
  const planned = {
    experiment: 'lab',
    condition: 'baseline',
    replicates: 1,
    seed: 0,
    waitsFor: [],
  };
  const part = { planned, elements: [], shards: undefined, components: {} };
  const thrown = await thrownBy(() =>
    submitParts(
      [part] as unknown as Parameters<typeof submitParts>[0],
      new Map(),
      { engine: new SlurmEngine(LIMITS), root, signal: new AbortController().signal },
      { engine: 'slurm', resources } as unknown as Parameters<typeof submitParts>[3],
    ),
  );
  expect(thrown).toBeInstanceOf(UncertainJobError);
  expect((thrown as Error).message).toBe(
    'sbatch did not answer within 0.3 s and was stopped. Slurm may have taken nx-experiments-0001-lab.baseline all the same: look with squeue --me --name=nx-experiments-0001-lab.baseline, and end what is there with scancel before you submit again.',
  );
  expect(submissionIds(root)).toEqual(['0001']);
  expect(existsSync(join(root, '.nx/experiments/submissions/0001'))).toBe(true);
});
