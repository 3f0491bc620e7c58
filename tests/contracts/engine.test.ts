import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Engine, EngineElement, Job } from '../../plugin/build/scale/engine.js';
import { LocalEngine } from '../../plugin/build/scale/local.js';
import { SlurmEngine } from '../../plugin/build/scale/slurm.js';
import { SlurmCluster, withoutSlurm } from '../support/slurm.ts';

interface Implementation {
  readonly name: string;
  /** Why it cannot be tested here. */
  readonly missing?: string | undefined;
  start?(): Promise<AsyncDisposable>;
  open(folder: string): Engine;
}

const IMPLEMENTATIONS: readonly Implementation[] = [
  { name: 'local', open: (folder) => new LocalEngine(join(folder, 'jobs')) },
  {
    name: 'slurm',
    missing: withoutSlurm,
    open: () => new SlurmEngine(),
    async start() {
      const cluster = await SlurmCluster.start();
      process.env.SLURM_CONF = cluster.env.SLURM_CONF;
      return cluster;
    },
  },
];

describe.each(IMPLEMENTATIONS)('the engine $name', ({ name, missing, start, open }) => {
  describe.skipIf(missing)(`is there${missing ?? ''}`, () => {
    let service: AsyncDisposable | undefined;
    let folder: string;
    let engine: Engine;
    const all: { id: string; name: string }[] = [];

    beforeAll(async () => {
      service = await start?.();
    });
    afterAll(() => service?.[Symbol.asyncDispose]());
    beforeEach(() => {
      // What a shell, or an engine, would read something into.
      folder = join(realpathSync(mkdtempSync(join(tmpdir(), 'engine-'))), `it's %a "$HOME"\n\`&; x`);
      mkdirSync(join(folder, 'logs'), { recursive: true });
      engine = open(folder);
      all.length = 0;
    });
    afterEach(async () => {
      await engine.cancel(all);
      rmSync(join(folder, '..'), { recursive: true });
    });

    /** A job of a shell, which has its folder as $1, a word as $2 and the element as $3. */
    async function submit(title: string, script: string, settings: Partial<Job> = {}): Promise<string> {
      const job = {
        name: title,
        command: ['/bin/sh', '-c', script, 'sh', folder, `a 'b' "c" $d \\ %j\n&`],
        elements: undefined,
        after: [],
        logs: join(folder, 'logs'),
        files: join(folder, title),
        resources: { cpus: 1, extra: [] },
        ...settings,
      };
      const id = await engine.submit(job);
      all.push({ id, name: title });
      return id;
    }

    /** `element: state` of a job when all of its elements are as they should be. */
    async function until(
      job: string,
      holds: (elements: readonly EngineElement[]) => boolean,
    ): Promise<string[]> {
      const one = all.filter(({ id }) => id === job);
      for (let i = 0; i < 600; i++) {
        const elements = await engine.poll(one);
        if (elements.length > 0 && holds(elements)) {
          return elements.map(({ element, state }) => `${element}: ${state}`).sort();
        }
        await sleep(100);
      }
      throw new Error(`${name}: ${JSON.stringify(await engine.poll(one))}`);
    }

    const ended = (job: string) =>
      until(job, (elements) => elements.every(({ state }) => state !== 'pending' && state !== 'running'));
    const log = (element: string): string => readFileSync(join(folder, 'logs', `${element}.log`), 'utf8');

    test('gives every element its number, its words as they are, and a log', async () => {
      const job = await submit('array', 'printf "%s|%s" "$2" "$3"; echo problem >&2; [ "$3" != 3 ]', {
        elements: [1, 3, 4],
      });
      expect(await ended(job)).toEqual(['1: succeeded', '3: failed', '4: succeeded']);
      expect(log('4')).toBe(`a 'b' "c" $d \\ %j\n&|4problem\n`);
      expect(existsSync(join(folder, 'logs/2.log'))).toBe(false);
    });

    test('starts a job when all before it have succeeded, also when that was before', async () => {
      const first = await submit('first', 'sleep 1; echo "$3" >> "$1/order"', { elements: [1, 2] });
      const second = await submit('second', 'echo second >> "$1/order"', { after: [first] });
      expect(await ended(second)).toEqual(['whole: succeeded']);
      const third = await submit('third', 'echo third >> "$1/order"', { after: [first, second] });
      expect(await ended(third)).toEqual(['whole: succeeded']);
      const order = readFileSync(join(folder, 'order'), 'utf8').trimEnd().split('\n');
      expect(order.slice(0, 2).sort()).toEqual(['1', '2']);
      expect(order.slice(2)).toEqual(['second', 'third']);
    });

    test('never starts what waits for a failure, near or far', async () => {
      const first = await submit('first', '[ "$3" = 1 ]', { elements: [1, 2] });
      const second = await submit('second', 'touch "$1/started"', { after: [first] });
      const third = await submit('third', 'touch "$1/started"', { after: [second] });
      expect(await ended(first)).toEqual(['1: succeeded', '2: failed']);
      expect(await ended(second)).toEqual(['whole: skipped']);
      expect(await ended(third)).toEqual(['whole: skipped']);
      const late = await submit('late', 'touch "$1/started"', { after: [first] });
      expect(await ended(late)).toEqual(['whole: skipped']);
      expect(existsSync(join(folder, 'started'))).toBe(false);
    });

    test('cancels what runs and what waits, and leaves alone what has ended', async () => {
      const done = await submit('done', 'true');
      await ended(done);
      const running = await submit('running', 'sleep 600 && touch "$1/survived"');
      const waiting = await submit('waiting', 'touch "$1/started"', { after: [running] });
      await until(running, ([element]) => element?.state === 'running');
      await engine.cancel(all);
      expect(await ended(done)).toEqual(['whole: succeeded']);
      expect(await ended(running)).toEqual(['whole: cancelled']);
      expect((await ended(waiting)).toString()).toMatch(/^whole: (cancelled|skipped)$/);
      await engine.cancel(all);
      expect(['survived', 'started'].filter((file) => existsSync(join(folder, file)))).toEqual([]);
    });

    test('knows nothing of jobs that it does not have, or that are not ours', async () => {
      const job = await submit('ours', 'true');
      await ended(job);
      expect(await engine.poll([{ id: '99999', name: 'ours' }])).toEqual([]);
      expect(await engine.poll([{ id: job, name: 'of somebody else' }])).toEqual([]);
      expect(await engine.poll([])).toEqual([]);
    });

    test('describes a job without submitting it', async () => {
      const job = {
        command: ['/bin/true', 'a b'],
        elements: [2, 3],
        after: ['7'],
        logs: folder,
        files: folder,
      };
      const text = engine.describe({ ...job, name: 'described', resources: { cpus: 2, extra: [] } });
      expect(text).toContain("/bin/true 'a b'");
      expect(text).toContain('7');
    });
  });
});
