import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandsOf } from '../../plugin/matrix/commands.ts';
import { estimateAll } from '../../plugin/matrix/estimate.ts';
import { connectedTasks, levelsOf } from '../../plugin/matrix/levels.ts';
import { packLevel, planMatrix } from '../../plugin/matrix/pack.ts';
import { renderMatrix } from '../../plugin/matrix/render.ts';
import { contract, withDependencies } from '../../plugin/matrix/select.ts';
import type { MatrixTask } from '../../plugin/matrix/tasks.ts';

/** Tasks t0, t1, … each of which waits for some before it, in an order that says nothing. */
const GRAPHS = fc
  .array(
    fc.record({
      ms: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 500_000 })),
      project: fc.integer({ min: 0, max: 4 }),
      before: fc.array(fc.nat(), { maxLength: 3 }),
      isMeasured: fc.boolean(),
    }),
    { maxLength: 25 },
  )
  .chain((drawn) => {
    const tasks = drawn.map(({ ms, project, before, isMeasured }, i) =>
      task(`p${project}`, `t${i}`, {
        estimatedMs: ms,
        isMeasured,
        waitsFor: i === 0 ? [] : [...new Set(before.map((b) => drawnId(drawn, b % i)))],
      }),
    );
    return fc.shuffledSubarray(tasks, { minLength: tasks.length });
  });

const LIMITS = fc.record({
  jobs: fc.integer({ min: 1, max: 6 }),
  levels: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  jobCostMs: fc.constantFrom(0, 60_000),
});

function drawnId(drawn: readonly { project: number }[], i: number): string {
  return `p${drawn[i]?.project}:t${i}`;
}

function task(project: string, target: string, more: Partial<MatrixTask> = {}): MatrixTask {
  return {
    id: `${project}:${target}`,
    project,
    target,
    waitsFor: [],
    estimatedMs: 1000,
    isMeasured: true,
    ...more,
  };
}

const ids = (tasks: readonly MatrixTask[]): string[] => tasks.map(({ id }) => id);
const total = (tasks: readonly MatrixTask[]): number => tasks.reduce((sum, t) => sum + t.estimatedMs, 0);

describe('any graph of tasks', () => {
  test('has every task in one job', () => {
    fc.assert(
      fc.property(GRAPHS, LIMITS, (tasks, limits) => {
        const planned = planMatrix(tasks, limits).flatMap((jobs) => jobs.flatMap((job) => ids(job.tasks)));
        expect(planned.sort()).toEqual(ids(tasks).sort());
      }),
    );
  });

  test('runs nothing before what it waits for, unless it is in the same job', () => {
    fc.assert(
      fc.property(GRAPHS, LIMITS, (tasks, limits) => {
        const jobs = planMatrix(tasks, limits).flat();
        const jobOf = new Map(jobs.flatMap((job) => job.tasks.map(({ id }) => [id, job])));
        for (const { id, waitsFor } of tasks) {
          for (const before of waitsFor) {
            const [mine, theirs] = [jobOf.get(id), jobOf.get(before)];
            expect(mine === theirs || (theirs?.level ?? 0) < (mine?.level ?? 0), `${before} -> ${id}`).toBe(
              true,
            );
          }
        }
      }),
    );
  });

  test('keeps to the limits, and has no empty job', () => {
    fc.assert(
      fc.property(GRAPHS, LIMITS, (tasks, limits) => {
        const levels = planMatrix(tasks, limits);
        expect(levels.length).toBeLessThanOrEqual(limits.levels ?? tasks.length);
        for (const jobs of levels) {
          expect(jobs.length).toBeLessThanOrEqual(limits.jobs);
          expect(jobs.every((job) => job.tasks.length > 0)).toBe(true);
        }
      }),
    );
  });

  test('comes out the same whatever the order of its tasks', () => {
    fc.assert(
      fc.property(GRAPHS, LIMITS, (tasks, limits) => {
        expect(planMatrix([...tasks].reverse(), limits)).toEqual(planMatrix(tasks, limits));
      }),
    );
  });

  test('takes at most 4/3 - 1/(3m) of the best way to spread a level over m jobs', () => {
    const level = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 2 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(level, fc.integer({ min: 1, max: 4 }), (drawn, jobs) => {
        const tasks = drawn.map(([estimatedMs, p], i) => task(`p${p}`, `t${i}`, { estimatedMs }));
        const packed = packLevel(tasks, { jobs, jobCostMs: 0 });
        const best = shortestSpread(
          tasks.map((t) => t.estimatedMs),
          jobs,
        );
        expect(Math.max(...packed.map(total))).toBeLessThanOrEqual(best * (4 / 3 - 1 / (3 * jobs)) + 1e-9);
      }),
      { numRuns: 500 },
    );
  });
});

/** By trying everything. */
function shortestSpread(times: readonly number[], jobs: number): number {
  const loads = Array.from({ length: jobs }, () => 0);
  let best = Number.POSITIVE_INFINITY;
  const place = (i: number): void => {
    const time = times[i];
    if (time === undefined) {
      best = Math.min(best, Math.max(...loads));
      return;
    }
    for (let job = 0; job < jobs; job++) {
      loads[job] = (loads[job] ?? 0) + time;
      if ((loads[job] ?? 0) < best) place(i + 1);
      loads[job] = (loads[job] ?? 0) - time;
      if (loads[job] === 0) break; // the other empty ones are the same
    }
  };
  place(0);
  return best;
}

describe('levels', () => {
  const chain = [
    task('a', 'x'),
    task('b', 'x', { waitsFor: ['a:x'] }),
    task('c', 'x', { waitsFor: ['b:x'] }),
    task('c', 'y', { waitsFor: ['a:x'] }),
    task('d', 'x'),
  ];
  test('are how many have to come before', () => {
    expect(levelsOf(chain).map(ids)).toEqual([['a:x', 'd:x'], ['b:x', 'c:y'], ['c:x']]);
  });
  test('deeper than there may be fall into the last, connected', () => {
    const [first = [], second = [], ...none] = levelsOf(chain, 2);
    expect([first, second].map(ids)).toEqual([
      ['a:x', 'd:x'],
      ['b:x', 'c:y', 'c:x'],
    ]);
    expect(none).toEqual([]);
    expect(connectedTasks(second).map((group) => ids(group).sort())).toEqual([['b:x', 'c:x'], ['c:y']]);
  });
  test('of nothing are none', () => {
    expect(planMatrix([], { jobs: 3, jobCostMs: 0 })).toEqual([]);
  });
});

describe('jobs', () => {
  const four = ['a', 'b'].flatMap((p) => ['x', 'y'].map((t) => task(p, t, { estimatedMs: 30_000 })));
  test('are no more than pay for what they cost to start', () => {
    const spread = (jobCostMs: number) => packLevel(four, { jobs: 8, jobCostMs }).map(ids);
    expect(spread(0)).toEqual([['a:x'], ['a:y'], ['b:x'], ['b:y']]);
    expect(spread(60_000)).toEqual([
      ['a:x', 'a:y'],
      ['b:x', 'b:y'],
    ]);
    expect(spread(1_000_000)).toEqual([['a:x', 'a:y', 'b:x', 'b:y']]);
  });
  test('are spread where nothing is known', () => {
    const unknown = four.map((t) => ({ ...t, isMeasured: t.id === 'a:x' }));
    expect(packLevel(unknown, { jobs: 8, jobCostMs: 60_000 })).toHaveLength(4);
  });
});

test('a matrix is refused by what GitHub counts, two bytes for each character, and what GitLab does, its bytes', () => {
  const levels = (length: number) =>
    planMatrix([task('p', 't'.repeat(length), { estimatedMs: 1000 })], { jobs: 1, jobCostMs: 0 });
  expect(renderMatrix(levels(200_000), 'github').length).toBeLessThan(500_000);
  expect(() => renderMatrix(levels(260_000), 'github')).toThrow(
    /^The matrix has 104\d{4} bytes, and CI takes/,
  );
  expect(renderMatrix(levels(520_000), 'gitlab').length).toBeLessThan(1_000_000);
  expect(() => renderMatrix(levels(1_000_000), 'gitlab')).toThrow(/^The matrix has 100\d{4} bytes/);
});

describe('commands', () => {
  test('run what is meant and nothing else: projects with the same targets share one', () => {
    const tasks = [task('b', 'x'), task('a', 'y'), task('a', 'x'), task('c', 'x')];
    expect(commandsOf(tasks)).toEqual([
      'run-many --targets=x --projects=b,c',
      'run-many --targets=x,y --projects=a',
    ]);
  });
  test('are no longer than a program takes', () => {
    const many = Array.from({ length: 2000 }, (_, i) => task(`${'p'.repeat(90)}${i}`, 'x'));
    const commands = commandsOf(many);
    expect(commands.length).toBeGreaterThan(3);
    expect(Math.max(...commands.map((c) => c.length))).toBeLessThan(61_000);
    const named = commands.flatMap((c) => c.split('--projects=')[1]?.split(',') ?? []);
    expect(named.sort()).toEqual(many.map(({ project }) => project).sort());
  });
});

describe('estimates', () => {
  const work = { replicates: 10, lanes: 2 };
  test('go by the condition, then its experiment, then all, then the number of replicates', () => {
    expect(
      estimateAll([
        { experiment: 'a', ...work, msPerReplicate: 100 },
        { experiment: 'a', ...work, msPerReplicate: undefined },
        { experiment: 'b', ...work, msPerReplicate: undefined },
      ]),
    ).toEqual([
      { estimatedMs: 500, isMeasured: true },
      { estimatedMs: 500, isMeasured: true },
      { estimatedMs: 500, isMeasured: false },
    ]);
    expect(estimateAll([{ experiment: 'a', ...work, msPerReplicate: undefined }])).toEqual([
      { estimatedMs: 5000, isMeasured: false },
    ]);
  });
  test('count a last round that is not full', () => {
    const [only] = estimateAll([{ experiment: 'a', replicates: 9, lanes: 4, msPerReplicate: 10 }]);
    expect(only?.estimatedMs).toBe(30);
  });
});

test('tasks that are left out still say what waits for what', () => {
  const tasks = new Map(
    Object.entries({ a: [], between: ['a'], other: ['between'], b: ['other', 'a'], beside: [] }).map(
      ([id, dependencies]) => [id, { id, dependencies }],
    ),
  );
  expect(Object.fromEntries(contract(tasks, new Set(['a', 'b', 'beside'])))).toEqual({
    a: [],
    b: ['a'],
    beside: [],
  });
  expect(
    withDependencies(tasks, ['other'])
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['a', 'between', 'other']);
});
