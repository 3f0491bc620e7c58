import { expect, test } from 'vitest';
import { parseRunLog } from '../../plugin/report/run-log.ts';

const line = (entry: object): string => `${JSON.stringify(entry)}\n`;

test('a log tells when, where and with what its condition ran', () => {
  const log = parseRunLog(
    line({ type: 'log', replicate: 0, text: '{"type":"condition","ms":1}' }) +
      line({ type: 'failure', replicate: 2, retrying: true, message: 'first try', stack: '' }) +
      line({
        type: 'failure',
        replicate: 2,
        retrying: false,
        message: 'no',
        stack: 'at step (e/steps.ts:1)',
      }) +
      line({
        type: 'provenance',
        commit: 'a'.repeat(40),
        dirty: true,
        versions: { node: '20.1.0' },
        platform: 'linux-x64',
        code: { 'e/steps.ts': 'b'.repeat(64) },
        dependencies: 'c'.repeat(64),
      }) +
      line({ type: 'condition', startedAt: '2026-01-02T03:04:05.678Z', ms: 12, reused: 3 }),
  );
  expect(log).toEqual({
    startedAt: '2026-01-02T03:04:05.678Z',
    ms: 12,
    reused: 3,
    versions: { node: '20.1.0' },
    platform: 'linux-x64',
    commit: 'a'.repeat(40),
    dirty: true,
    code: { 'e/steps.ts': 'b'.repeat(64) },
    dependencies: 'c'.repeat(64),
    failures: [{ replicate: 2, message: 'no', stack: 'at step (e/steps.ts:1)' }],
  });
});

test('what is damaged, or is no log at all, is left out', () => {
  const nothing = parseRunLog('');
  expect(nothing).toMatchObject({ startedAt: undefined, commit: undefined, reused: 0, failures: [] });
  for (const text of [
    '{"type":"condition","startedAt":',
    line({ type: 'condition', startedAt: 'yesterday', ms: -1, reused: 'x' }),
    line({ type: 'provenance', commit: '<script>', dirty: 'yes', versions: { node: {} }, code: null }),
    line({ type: 'failure', replicate: '1', retrying: false }),
    '\0\ufffd{"type":"condition"}\n',
  ])
    expect(parseRunLog(text), text).toEqual(nothing);
});

test('a condition that was put together from shards ran from the first beginning to the last end', () => {
  const shard = (second: number, commit: string, dirty: boolean): string =>
    line({
      type: 'provenance',
      commit: commit.repeat(40),
      dirty,
      versions: { node: '20.1.0' },
      platform: 'linux-x64',
    }) + line({ type: 'condition', startedAt: `2026-01-02T03:04:0${second}.000Z`, ms: 2500, reused: 1 });
  expect(
    parseRunLog(shard(3, 'a', false) + shard(1, 'a', true) + line({ type: 'merged', shards: 2 })),
  ).toMatchObject({
    startedAt: '2026-01-02T03:04:01.000Z',
    ms: 4500,
    reused: 2,
    commit: 'a'.repeat(40),
    dirty: true,
    platform: 'linux-x64',
  });
  expect(parseRunLog(shard(3, 'a', false) + shard(1, 'b', false))).toMatchObject({
    commit: undefined,
    dirty: false,
  });
});
