import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalEngine } from '../../plugin/build/scale/local.js';
import { identityOf, isRunning } from '../../plugin/build/scale/process-identity.js';
import { Lab } from '../support/engine.ts';

test('a process that has the number of a job, and is another one, is left alone', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const { pid = 0 } = other;
  using lab = new Lab({
    '1/job.json': { name: 'job', command: [], after: [] },
    '1/state.json': { pid, started: '1', elements: { whole: 'running' } },
  });
  const engine = new LocalEngine(lab.root);
  const jobs = [{ id: '1', name: 'job' }];
  expect(await engine.poll(jobs)).toEqual([
    { job: '1', element: 'whole', state: 'failed', detail: 'its process is gone', host: '' },
  ]);
  await engine.cancel(jobs);
  expect(other.exitCode ?? other.signalCode).toBe(null);
  // That very process is ended.
  lab.write({ '1/state.json': { ...identityOf(pid), elements: { whole: 'running' } } });
  expect(await engine.poll(jobs)).toMatchObject([{ state: 'running' }]);
  const ended = new Promise((resolve) => other.once('exit', (_, signal) => resolve(signal)));
  await engine.cancel(jobs);
  expect(await ended).toBe('SIGTERM');
});

test('an element whose job was killed still runs, and is cancelled', async () => {
  using lab = new Lab({ 'logs/keep': '' });
  const engine = new LocalEngine(join(lab.root, 'local'));
  const id = await engine.submit({
    name: 'job',
    command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
    elements: [1, 2],
    after: [],
    logs: join(lab.root, 'logs'),
    files: join(lab.root, 'files'),
    resources: { cpus: 1, extra: [] },
  });
  const jobs = [{ id, name: 'job' }];
  const state = () => JSON.parse(lab.read(`local/${id}/state.json`));
  await expect.poll(() => state().child?.pid).toBeTypeOf('number');
  process.kill(state().pid, 'SIGKILL');
  await expect.poll(() => isRunning(state())).toBe(false);
  expect((await engine.poll(jobs)).map((element) => element.state)).toEqual(['running', 'failed']);
  await engine.cancel(jobs);
  expect(isRunning(state().child)).toBe(false);
  expect((await engine.poll(jobs)).map((element) => element.state)).toEqual(['failed', 'failed']);
});
