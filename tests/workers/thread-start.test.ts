import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { Worker as Thread } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import { beginThread, takeThread } from '../../plugin/build/workers/thread-start.js';
import { Lab } from '../support/engine.ts';

const FILES = {
  'lab/config.yaml': { datasource: { data: 'source' }, steps: ['same'] },
  'lab/datasources.mjs': 'export const source = () => 1;\n',
  'lab/steps.mjs': 'export const same = (data) => data;\n',
};

/** How many threads a process has started when it ends that does this with a graph of the folder. */
function threadsOf(folder: string, act: string): number {
  const script = `import { ExperimentGraph } from 'nx-experiments';
    let threads = 0;
    process.on('worker', () => threads++);
    process.on('exit', () => console.log(threads));
    const graph = ExperimentGraph.fromYaml(${JSON.stringify(folder)});
    ${act}`;
  const args = ['--input-type=module', '-e', script];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

test('a thread that was begun is taken once, by whoever has no limits to set', async () => {
  beginThread();
  beginThread();
  const limited = takeThread({ maxOldGenerationSizeMb: 64 });
  const first = takeThread();
  const second = takeThread();
  const all = [limited, first, second].map(({ thread }) => thread);
  expect(new Set(all).size).toBe(3);
  expect(limited.thread.resourceLimits).toMatchObject({ maxOldGenerationSizeMb: 64 });
  await Promise.all(all.map((thread) => thread.terminate()));
});

test('one that nobody wants ends, and is not handed out', async () => {
  const made: Thread[] = [];
  const note = (thread: Thread): unknown => made.push(thread);
  process.on('worker', note);
  beginThread();
  const { thread: wanted } = takeThread();
  beginThread();
  await vi.waitFor(() => expect(made).toHaveLength(2));
  const unwanted = made.find((thread) => thread !== wanted);
  unwanted?.ref();
  await once(unwanted as Thread, 'exit');
  const { thread: later } = takeThread();
  expect(later).not.toBe(unwanted);
  process.off('worker', note);
  await Promise.all([wanted.terminate(), later.terminate()]);
});

test('a first run uses the thread that was begun with its graph', () => {
  using lab = new Lab(FILES);
  expect(threadsOf(lab.root, 'await graph.run();')).toBe(1);
  // What was kept before may leave nothing to run.
  expect(threadsOf(lab.root, '')).toBe(0);
  expect(threadsOf(lab.root, 'await graph.run();')).toBe(0);
});

test('a graph that nobody runs holds no process up', () => {
  using lab = new Lab(FILES);
  expect(threadsOf(lab.root, '')).toBe(1);
});

test.each([
  ['reaches for the process', 'export const same = (data) => process.argv.length + data;\n'],
  ['imports something', "import { add } from './lib.mjs';\nexport const same = add;\n"],
])('code that %s begins none', (_, steps) => {
  using lab = new Lab({ ...FILES, 'lab/steps.mjs': steps });
  expect(threadsOf(lab.root, '')).toBe(0);
});
