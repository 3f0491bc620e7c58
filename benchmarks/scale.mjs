/**
 * What large numbers cost: the figures of docs/scale.md (Linux only).
 *
 *     node benchmarks/scale.mjs records 1000000     one condition's finished replicates in the run store
 *     node benchmarks/scale.mjs manifest 1000000    its metrics.json
 *     node benchmarks/scale.mjs run 100000          a run: memory of the parent, results, comparison
 *     node benchmarks/scale.mjs artifacts 100000    small artifacts: kept, found again, restored, looked through
 *     node benchmarks/scale.mjs bytes 1024          one artifact of that many MiB: digested, kept, restored, packed
 *     node benchmarks/scale.mjs nx 10000            what Nx's cache takes for a task with that many files
 *     node benchmarks/scale.mjs matrix 10000        a CI matrix of that many experiments
 *
 * Each line runs in a process of its own, and says its time and the peak of its memory; on a busy machine, look at the time of the CPU.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../plugin/build/base/digest.js';
import { digestFile } from '../plugin/build/io/digest-file.js';
import { planMatrix } from '../plugin/build/matrix/pack.js';
import { renderMatrix } from '../plugin/build/matrix/render.js';
import { encodeManifest, parseManifest } from '../plugin/build/runtime/manifest.js';
import { FolderStore } from '../plugin/build/store/folder-store.js';
import { pruneStore } from '../plugin/build/store/maintenance.js';
import { runOnce, trivialLab } from './lab.mjs';

const [what = '', amount = '', folder = '', phase = ''] = process.argv.slice(2);
const count = Number(amount);
const KEY = sha256('condition');
const key = (i) => sha256(`replicate ${i}`);
const metricsOf = (i) => ({ accuracy: [0.5 + (i % 1000) / 2003], loss: [1 / (i + 3)] });
const artifactOf = (i) => ({ out: { fileName: 'out.json', sha256: sha256(`out ${i}`), bytes: 2048 } });
const MiB = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

const PHASES = {
  records: {
    async write() {
      const shelf = await new FolderStore(folder, 2 ** 50).shelf(KEY);
      for (let i = 0; i < count; i += 1000) {
        const batch = Array.from({ length: Math.min(1000, count - i) }, (_, j) => i + j);
        // Records alone: that their artifacts are not there is what "artifacts" is for.
        await Promise.all(
          batch.map((n) =>
            shelf.append(key(n), { metrics: metricsOf(n), artifacts: artifactOf(n), ms: 1.5 }),
          ),
        );
      }
      await shelf.close();
      return `${MiB(sizeOf(folder))} of records`;
    },
    async load() {
      const shelf = await new FolderStore(folder, 2 ** 50).shelf(KEY);
      for (let i = 0; i < count; i++)
        if (shelf.get(key(i)) === undefined) throw new Error(`${i} is not found`);
      return 'loaded, and each looked up';
    },
  },
  manifest: {
    async write() {
      const replicates = Array.from({ length: count }, (_, replicate) => ({
        replicate,
        seed: replicate * 31337,
        metrics: metricsOf(replicate),
        artifacts: artifactOf(replicate),
      }));
      writeFileSync(
        join(folder, 'metrics.json'),
        encodeManifest({ experiment: 'e', condition: 'baseline', replicates, failed: [] }),
      );
      return `${MiB(sizeOf(folder))} of metrics.json`;
    },
    async read() {
      const manifest = parseManifest(readFileSync(join(folder, 'metrics.json'), 'utf8'));
      if (manifest?.replicates.length !== count) throw new Error('metrics.json is damaged');
      return 'parsed';
    },
  },
  artifacts: {
    async keep() {
      const store = new FolderStore(folder, 2 ** 50);
      const file = join(folder, 'artifact');
      for (let i = 0; i < count; i++) {
        const bytes = Buffer.from(`${i} ${'x'.repeat(2048)}`);
        writeFileSync(file, bytes);
        await store.keep(sha256(bytes), file);
      }
      const objects = join(folder, 'v1/objects');
      return `kept, ${readdirSync(join(objects, readdirSync(objects)[0])).length} files in a folder`;
    },
    async restore() {
      const store = new FolderStore(folder, 2 ** 50);
      for (let i = 0; i < count; i++) {
        const problem = await store.take(
          sha256(Buffer.from(`${i} ${'x'.repeat(2048)}`)),
          join(folder, `restored/replicate_${i}/out.json`),
        );
        if (problem) throw new Error(problem);
      }
      return 'checked and restored';
    },
    async prune() {
      const { keptBytes } = await pruneStore(folder, 2 ** 50, Date.now());
      return `looked through for pruning, ${MiB(keptBytes)}`;
    },
  },
  bytes: {
    async make() {
      for (let i = 0; i < count; i++)
        writeFileSync(join(folder, 'artifact'), randomBytes(2 ** 20), { flag: 'a' });
      return 'written';
    },
    async digest() {
      return `digested: ${(await digestFile(join(folder, 'artifact'))).slice(0, 8)}`;
    },
    async keep() {
      const file = join(folder, 'artifact');
      await new FolderStore(folder, 2 ** 50).keep(await digestFile(file), file);
      return 'digested and kept';
    },
    async restore() {
      const store = new FolderStore(folder, 2 ** 50);
      const problem = await store.take(await digestFile(join(folder, 'artifact')), join(folder, 'restored'));
      if (problem) throw new Error(problem);
      return 'digested, checked and restored';
    },
    async pack() {
      execFileSync('tar', ['-czf', join(folder, 'packed.tgz'), '-C', folder, 'artifact']);
      return 'packed with gzip, as remote caches and artifacts of CI do';
    },
  },
  matrix: {
    async plan() {
      const tasks = Array.from({ length: count }, (_, i) => ['baseline', 'high', 'low'].map((c) => [i, c]))
        .flat()
        .map(([i, condition]) => ({
          id: `experiment-number-${i}:experiment--${condition}`,
          project: `experiment-number-${i}`,
          target: `experiment--${condition}`,
          waitsFor: i < 100 ? [] : [`experiment-number-${i - 100}:experiment--${condition}`],
          estimatedMs: 1000 + ((i * 7919) % 60_000),
          isMeasured: true,
        }));
      const levels = planMatrix(tasks, { jobs: 64, levels: 8, jobCostMs: 60_000 });
      return `${levels.flat().length} jobs, ${MiB(renderMatrix(levels, 'json').length)} as JSON, ${bytesForCi(levels)}`;
    },
  },
};

function bytesForCi(levels) {
  try {
    return `${2 * renderMatrix(levels, 'github').length} bytes for GitHub`;
  } catch (error) {
    return `refused for GitHub: ${error.message.split(':')[0]}`;
  }
}

function sizeOf(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function inFolder(use) {
  const top = mkdtempSync(join(tmpdir(), 'scale-'));
  try {
    use(top);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

function phases(name) {
  inFolder((top) => {
    for (const step of Object.keys(PHASES[name])) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [fileURLToPath(import.meta.url), name, amount, top, step],
        { encoding: 'utf8' },
      );
      console.log(
        `${name} ${count}, ${step}: ${status === 0 ? stdout.trim() : `FAILS: ${reasonOf(stderr)}`}`,
      );
    }
  });
}

function reasonOf(stderr) {
  return /(?:^|\n)(\w*Error.*|FATAL ERROR.*)/.exec(stderr)?.[1] ?? stderr.slice(0, 200);
}

function run() {
  const root = trivialLab({ conditions: 2, replicates: count });
  const store = join(root, 'store');
  for (const how of ['cold', 'complete reuse']) {
    const { peakMiB, runMs } = runOnce(root, store, 2);
    console.log(`run 2 x ${count}, ${how}: ${(runMs / 1000).toFixed(1)} s, ${peakMiB.toFixed(0)} MiB`);
  }
  for (const path of ['baseline/metrics.json', 'baseline/run.jsonl'])
    console.log(`run, ${path}: ${MiB(statSync(join(root, 'bench/results', path)).size)}`);
  rmSync(root, { recursive: true, force: true });
}

/** A task of `nx:run-commands` whose outputs are that many files of 2 KiB. */
function nx() {
  const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
  inFolder((top) => {
    const write = (path, value) => writeFileSync(join(top, path), JSON.stringify(value));
    mkdirSync(join(top, 'node_modules'));
    for (const name of ['nx', '@nx'])
      execFileSync('ln', ['-s', join(modules, name), join(top, 'node_modules', name)]);
    mkdirSync(join(top, 'p'));
    write('nx.json', { analytics: false, neverConnectToCloud: true });
    write('package.json', { name: 'scale', private: true });
    writeFileSync(join(top, '.gitignore'), 'node_modules\nout\n');
    writeFileSync(
      join(top, 'p/make.mjs'),
      `import { mkdirSync, writeFileSync } from 'node:fs';
for (let i = 0; i < ${count}; i++) {
  mkdirSync('out/replicate_' + i, { recursive: true });
  writeFileSync('out/replicate_' + i + '/out.json', i + 'x'.repeat(2048));
}`,
    );
    const make = { executor: 'nx:run-commands', options: { cwd: 'p', command: 'node make.mjs' } };
    write('p/project.json', {
      name: 'p',
      targets: { make: { ...make, cache: true, outputs: ['{projectRoot}/out'] }, plain: make },
    });
    const env = {
      ...process.env,
      NX_DAEMON: 'false',
      NX_TUI: 'false',
      NX_CACHE_DIRECTORY: join(top, 'cache'),
      NX_WORKSPACE_DATA_DIRECTORY: join(top, 'data'),
    };
    const time = (target) => {
      const nx = `"${process.execPath}" "${join(modules, 'nx/dist/bin/nx.js')}" run p:${target}`;
      const script = `TIMEFORMAT='%R s, %U + %S s of CPU'; time ${nx} > out.log 2>&1`;
      const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: top, env, encoding: 'utf8' });
      if (status !== 0) throw new Error(readFileSync(join(top, 'out.log'), 'utf8'));
      return stderr.trim();
    };
    const clear = () => rmSync(join(top, 'p/out'), { recursive: true, force: true });
    console.log(`nx ${count} files, not cached: ${time('plain')}`);
    clear();
    console.log(`nx ${count} files, first run, kept in the cache: ${time('make')}`);
    console.log(`nx ${count} files, nothing to do, outputs in place: ${time('make')}`);
    clear();
    console.log(`nx ${count} files, restored from the cache: ${time('make')}`);
  });
}

if (phase !== '') {
  const startedAt = performance.now();
  const said = await PHASES[what][phase]();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const [, peak = '0'] = /VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const { user, system } = process.cpuUsage();
  const cpu = ((user + system) / 1e6).toFixed(1);
  console.log(`${seconds} s, ${cpu} s of CPU, ${MiB(Number(peak) * 1024)} of memory, ${said}`);
} else if (what === 'run') run();
else if (what === 'nx') nx();
else phases(what);
