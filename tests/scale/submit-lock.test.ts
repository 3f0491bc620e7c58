import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { identityOf } from '../../plugin/build/scale/process-identity.js';
import { lockSubmissions } from '../../plugin/build/scale/submit-lock.js';
import { Lab } from '../support/engine.ts';

const gone = { pid: spawnSync(process.execPath, ['--version']).pid, host: hostname() };
const self = { ...identityOf(process.pid), host: hostname() };

test('a lock keeps others out until it ends', () => {
  using lab = new Lab();
  const unlock = lockSubmissions(lab.root);
  expect(() => lockSubmissions(lab.root)).toThrow(
    `Another "submit" is at work in this workspace (process ${process.pid} on ${hostname()}). Submit again when it has ended. If it is not there any more, remove ${lab.root}/.lock.`,
  );
  unlock();
  lockSubmissions(lab.root)();
  expect(readdirSync(lab.root)).toEqual([]);
});

test.each([
  ['a process that has ended', gone],
  ['another process that has its number now', { ...self, started: '1' }],
])('a lock of %s is taken over', (_, owner) => {
  using lab = new Lab({ '.lock': owner });
  lockSubmissions(lab.root)();
  expect(readdirSync(lab.root)).toEqual([]);
});

test.each([
  ['on another machine', { ...gone, host: 'elsewhere' }],
  ['of which nothing is known yet', ''],
])('a lock of a process %s is left alone', (_, owner) => {
  using lab = new Lab({ '.lock': owner });
  expect(() => lockSubmissions(lab.root)).toThrow('Another "submit" is at work in this workspace');
  expect(readdirSync(lab.root)).toEqual(['.lock']);
});
