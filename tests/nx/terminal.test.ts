import { describe, expect, test } from 'vitest';
import { formatDuration } from '../../plugin/base/duration.ts';
import { renderOutcome, TerminalReporter } from '../../plugin/nx/terminal.ts';
import type { ConditionOutcome } from '../../plugin/runtime/events.ts';
import { type PlannedCondition, planConditions } from '../../plugin/runtime/plan.ts';
import { graphOf } from '../support/configs.ts';
import { plannedLab } from '../support/plans.ts';

class Screen {
  readonly lines: string[] = [];
  now = 0;
  readonly reporter = new TerminalReporter(
    (line) => this.lines.push(line),
    () => this.now,
  );

  start(planned: PlannedCondition, reused?: number, reasons: readonly string[] = []): void {
    this.reporter.report({ type: 'condition-started', planned, reused, reasons });
  }
  finish(planned: PlannedCondition, replicates: number, msEach: number): void {
    for (let replicate = 0; replicate < replicates; replicate++) {
      this.now += msEach;
      const record = { replicate, seed: 0, metrics: {}, artifacts: {} };
      this.reporter.report({ type: 'replicate-finished', planned, replicate, record });
    }
  }
}

const many = plannedLab('replicates: 1000\n');

describe('a condition in shards', () => {
  const [shard, whole] = planConditions(
    graphOf({ lab: 'datasource: { raw: load }\nsteps: [run]\nreplicates: 100\n' }),
    [
      { experiment: 'lab', condition: 'baseline', merges: 4 },
      { experiment: 'lab', condition: 'baseline', shard: { k: 2, n: 4 } },
    ],
  ) as [PlannedCondition, PlannedCondition];
  const outcome = (planned: PlannedCondition, more: Partial<ConditionOutcome> = {}): string =>
    renderOutcome({
      planned,
      status: 'succeeded',
      failures: [],
      blockedBy: undefined,
      reused: 0,
      startedAt: 0,
      endedAt: 5,
      manifest: undefined,
      ...more,
    });

  test('says which shard it is, and counts its own replicates', () => {
    const screen = new Screen();
    screen.start(shard, 5, ['new replicates 30-49']);
    screen.finish(shard, 12, 100);
    screen.reporter.report({ type: 'log', planned: shard, replicate: 30, text: 'hello' });
    screen.reporter.report({ type: 'warning', planned: shard, text: 'careful' });
    expect(screen.lines).toEqual([
      'lab/baseline shard 2 of 4: 25 replicates, 5 reused, 20 to run (new replicates 30-49)',
      'lab/baseline shard 2 of 4: 15/25, about 1.0 s left',
      'lab/baseline shard 2 of 4[30] | hello',
      'lab/baseline shard 2 of 4: careful',
    ]);
    expect(outcome(shard, { reused: 5 })).toBe(
      'lab/baseline shard 2 of 4: 25 replicates done in 5 ms, 5 reused',
    );
  });

  test('is put together in one line, or says what kept it from that', () => {
    expect(outcome(whole)).toBe('lab/baseline: 100 replicates put together from 4 shards in 5 ms');
    expect(outcome(whole, { status: 'skipped', blockedBy: 'lab/baseline/2of4' })).toBe(
      'lab/baseline: skipped, because lab/baseline shard 2 of 4 did not succeed',
    );
  });

  test('names the files of the shard', () => {
    const screen = new Screen();
    screen.start(shard);
    for (let i = 0; i < 60; i++)
      screen.reporter.report({ type: 'log', planned: shard, replicate: 30, text: `${i}` });
    expect(screen.lines.at(-1)).toBe(
      'lab/baseline shard 2 of 4: further output is in lab/results/.shards/baseline/2of4/run.jsonl',
    );
  });
});

describe('progress', () => {
  test('is shown after the first second, then every two', () => {
    const screen = new Screen();
    screen.start(many);
    screen.finish(many, 80, 100);
    expect(screen.lines).toEqual([
      'lab/baseline: 1000 replicates',
      'lab/baseline: 10/1000, about 1 min 39 s left',
      'lab/baseline: 30/1000, about 1 min 37 s left',
      'lab/baseline: 50/1000, about 1 min 35 s left',
      'lab/baseline: 70/1000, about 1 min 33 s left',
    ]);
  });

  test('of a condition that is done in a second is not shown', () => {
    const screen = new Screen();
    screen.start(many);
    screen.finish(many, 1000, 0.9);
    expect(screen.lines).toEqual(['lab/baseline: 1000 replicates']);
  });

  test('counts what is reused, and foretells by what ran', () => {
    const screen = new Screen();
    screen.start(many, 900, ['new replicates 900-999']);
    screen.finish(many, 20, 100);
    expect(screen.lines).toEqual([
      'lab/baseline: 1000 replicates, 900 reused, 100 to run (new replicates 900-999)',
      'lab/baseline: 910/1000, about 9.0 s left',
    ]);
  });

  test('does not repeat the end, which the outcome tells', () => {
    const screen = new Screen();
    const two = plannedLab('replicates: 2\n');
    screen.start(two);
    screen.finish(two, 2, 10_000);
    expect(screen.lines).toEqual(['lab/baseline: 2 replicates', 'lab/baseline: 1/2']);
  });

  test('counts failures, and tells of those that are tried again', () => {
    const screen = new Screen();
    screen.start(many);
    screen.now = 5000;
    const failure = { reason: 'timed-out', limitMs: 100 } as const;
    const event = { type: 'replicate-failed', planned: many, replicate: 3, failure } as const;
    screen.reporter.report({ ...event, retrying: true });
    screen.reporter.report({ ...event, retrying: false });
    const died = {
      reason: 'worker-exited',
      how: 'signal SIGABRT; its last words:\nAborted\n\n  in step',
    } as const;
    screen.reporter.report({ ...event, failure: died, retrying: true });
    expect(screen.lines.slice(1)).toEqual([
      'lab/baseline[3]: timed out after 100 ms; trying again',
      'lab/baseline: 1/1000, 1 failed',
      'lab/baseline[3]: the worker process ended: signal SIGABRT; its last words: Aborted in step; trying again',
    ]);
  });
});

describe('output of the steps', () => {
  const log = (screen: Screen, text: string, replicate: number | undefined = 0): void =>
    screen.reporter.report({ type: 'log', planned: many, replicate, text });

  test('says where it comes from', () => {
    const screen = new Screen();
    screen.start(many);
    log(screen, 'hello', 7);
    log(screen, 'loading', undefined);
    expect(screen.lines.slice(1)).toEqual(['lab/baseline[7] | hello', 'lab/baseline[0] | loading']);
  });

  test('stops after fifty lines', () => {
    const screen = new Screen();
    screen.start(many);
    for (let i = 0; i < 200; i++) log(screen, `line ${i}`);
    expect(screen.lines).toHaveLength(52);
    expect(screen.lines.at(-1)).toBe('lab/baseline: further output is in lab/results/baseline/run.jsonl');
  });

  test('cannot move the cursor', () => {
    const screen = new Screen();
    screen.start(many);
    log(screen, '\u001b[2Jgone\r');
    expect(screen.lines[1]).toBe('lab/baseline[0] | \ufffd[2Jgone\ufffd');
  });
});

describe('an outcome', () => {
  const outcome = (over: Partial<ConditionOutcome>): string =>
    renderOutcome({
      planned: plannedLab('replicates: 12\n'),
      status: 'succeeded',
      failures: [],
      blockedBy: undefined,
      reused: 0,
      startedAt: 0,
      endedAt: 1234,
      manifest: undefined,
      ...over,
    });
  const error = { name: 'Error', message: 'no\nway', stack: 'at train (lab/steps.ts:3:9)' };

  test('tells what it came to', () => {
    expect(
      [
        outcome({}),
        outcome({ status: 'skipped', blockedBy: 'up/baseline' }),
        outcome({ status: 'aborted' }),
        outcome({
          status: 'failed',
          failures: [{ replicate: 3, failure: { reason: 'step-threw', step: 'train', error } }],
        }),
        outcome({
          status: 'failed',
          failures: [
            { replicate: undefined, failure: { reason: 'module-missing', module: 'steps', folder: 'lab' } },
          ],
        }),
      ].join('\n\n'),
    ).toMatchInlineSnapshot(`
      "lab/baseline: 12 replicates done in 1.2 s

      lab/baseline: skipped, because up/baseline did not succeed

      lab/baseline: stopped

      lab/baseline: 1 of 12 replicates failed, 1.2 s
        lab/baseline, replicate 3: step train threw Error: no
          way
          at train (lab/steps.ts:3:9)

      lab/baseline: failed
        lab/baseline: there is no steps module in lab. Add steps.ts (or .mts, .js, .mjs, .py).
          named in lab/config.yaml"
    `);
  });

  test('tells equal failures once, with their replicates', () => {
    const failures = [0, 1, 2, 7].map((replicate) => ({
      replicate,
      failure: { reason: 'timed-out', limitMs: 5 } as const,
    }));
    expect(outcome({ status: 'failed', failures }).split('\n').slice(1)).toEqual([
      '  lab/baseline, replicates 0-2, 7: timed out after 5 ms',
      '    in lab',
    ]);
  });

  test('lists ten failures and counts the rest', () => {
    const failures = Array.from({ length: 12 }, (_, replicate) => ({
      replicate,
      failure: { reason: 'timed-out', limitMs: replicate + 1 } as const,
    }));
    const lines = outcome({ status: 'failed', failures }).split('\n');
    expect(lines.filter((line) => line.includes('timed out'))).toHaveLength(10);
    expect(lines.at(-1)).toBe('  … and 2 more, listed in lab/results/baseline/metrics.json');
  });
});

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.9, '1.0 s'],
  [59_940, '59.9 s'],
  [59_990, '1 min 0 s'],
  [119_900, '2 min 0 s'],
  [3_599_900, '1 h 0 min'],
  [3_600_000 * 26, '26 h 0 min'],
])('%d ms are written as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
