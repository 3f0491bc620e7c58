// Kills runs with SIGKILL at random moments: `node tests/faults/kill-nine.mjs [trials] [seed]`.
// After each kill the next run must come to the bytes of an undisturbed run, and must not execute again what was kept.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeLines } from '../../plugin/build/store/lines.js';

const TRIALS = Number(process.argv[2] ?? 200);
const SEED = Number(process.argv[3] ?? 1);
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const RUN = join(ROOT, 'tests/faults/run-lab.mjs');
const NX = join(ROOT, 'node_modules/nx/dist/bin/nx.js');
const home = mkdtempSync(join(tmpdir(), 'kill-nine-'));
const executions = join(home, 'executions');

const STEP = `import { appendFileSync } from 'node:fs';
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
export const work = async (data, ctx) => {
  await pause(4);
  if (ctx.experiment === 'first') await ctx.artifact('out').write({ value: ctx.random(), rate: ctx.params.rate ?? 1 });
  ctx.metrics.add('value', ctx.experiment === 'first' ? ctx.random() : data.out.value);
  appendFileSync(${JSON.stringify(executions)}, \`\${ctx.experiment}/\${ctx.condition} \${ctx.replicate}\\n\`);
};
`;
const FILES = {
  'package.json': '{ "name": "lab", "version": "1.0.0", "private": true }',
  'nx.json': '{ "plugins": ["nx-experiments"] }',
  '.gitignore': 'node_modules\nresults\n.nx\n',
  'experiments/first/config.yaml':
    'replicates: 15\ndatasource: { one: one }\nsteps: [work]\noutputs: { out: { file_name: out.json, writer: dump_json, loader: load_json } }\ntreatments: { high: { rate: 2 } }\n',
  'experiments/first/datasources.mjs': 'export const one = () => 1;\n',
  'experiments/first/steps.mjs': STEP,
  'experiments/second/config.yaml': 'datasource: { out: first#out }\nsteps: [work]\n',
  'experiments/second/steps.mjs': STEP,
};

/** Park and Miller's generator: the moments of a seed are the same every time. */
let state = SEED;
const random = () => {
  state = (state * 48271) % 2147483647;
  return state / 2147483647;
};

const lab = join(home, 'lab');
for (const [path, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(lab, path)), { recursive: true });
  writeFileSync(join(lab, path), text);
}
mkdirSync(join(lab, 'node_modules/@nx'), { recursive: true });
for (const name of ['nx', '@nx/devkit', 'nx-experiments'])
  symlinkSync(join(ROOT, 'node_modules', name), join(lab, 'node_modules', name));
spawnSync('git', ['init', '-q'], { cwd: lab });

const env = {
  ...process.env,
  NX_DAEMON: 'false',
  NX_TUI: 'false',
  NX_CACHE_DIRECTORY: join(home, 'nx-cache'),
  NX_WORKSPACE_DATA_DIRECTORY: join(home, 'nx-data'),
};
const engine = [RUN, lab];
const underNx = [NX, 'run-many', '-t', 'experiment', '--skip-nx-cache'];

const forget = () => {
  for (const path of ['.nx', 'experiments/first/results', 'experiments/second/results'])
    rmSync(join(lab, path), { recursive: true, force: true });
  rmSync(executions, { force: true });
};
const executed = () =>
  existsSync(executions) ? readFileSync(executions, 'utf8').trim().split('\n').filter(Boolean) : [];
/** A log tells of its run; the engine alone compares nothing and describes nothing. */
const UNLIKE = /(^|\/)(run\.jsonl|report\/.*|ro-crate-metadata\.json)$/;
const snapshot = () =>
  Object.fromEntries(
    ['first', 'second'].flatMap((name) => {
      const top = join(lab, 'experiments', name, 'results');
      return readdirSync(top, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => !UNLIKE.test(path))
        .map((path) => [path, readFileSync(path, 'utf8')])
        .sort();
    }),
  );

/** `experiment/condition replicate` of every record in the store. */
function kept() {
  const records = join(lab, '.nx/experiments/v1/records');
  const history = new Map();
  if (!existsSync(records)) return history;
  for (const key of readdirSync(records)) {
    for (const file of readdirSync(join(records, key))) {
      for (const replicate of decodeLines(readFileSync(join(records, key, file), 'utf8')).entries.keys()) {
        history.set(`${key} ${replicate.split(':')[0]}`, true);
      }
    }
  }
  return history;
}

function workersOf(pid) {
  const found = [];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      if (
        command.includes('workers/node/main') &&
        readFileSync(`/proc/${name}/stat`, 'utf8').split(' ')[3] === String(pid)
      )
        found.push(Number(name));
    } catch {
      // gone meanwhile
    }
  }
  return found;
}

function run(args, kill) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: lab,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: kill?.target === 'nx',
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    // Workers may not have started yet.
    const strike = () => {
      const pid = kill.target === 'worker' ? workersOf(child.pid)[0] : child.pid;
      if (pid === undefined) {
        timer = setTimeout(strike, 5);
        return;
      }
      try {
        process.kill(pid, 'SIGKILL');
        kills[kill.target]++;
      } catch {
        // it was over already
      }
    };
    let timer = kill && setTimeout(strike, kill.afterMs);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

forget();
const startedAt = performance.now();
const reference = await run(engine);
const wholeMs = performance.now() - startedAt;
if (reference.code !== 0) throw new Error(reference.output);
const expected = JSON.stringify(snapshot());
const total = executed().length;
const underNxMs = await (async () => {
  const before = performance.now();
  await run(underNx);
  return performance.now() - before;
})();

const kills = { run: 0, nx: 0, worker: 0 };
let failed = 0;
let interrupted = 0;
let repeated = 0;
for (let trial = 0; trial < TRIALS; trial++) {
  const target = trial % 10 === 9 ? 'nx' : trial % 3 === 2 ? 'worker' : 'run';
  const args = target === 'nx' ? underNx : engine;
  forget();
  const afterMs = 0.8 * random() * (target === 'nx' ? underNxMs : wholeMs);
  const first = await run(args, { target, afterMs });
  await new Promise((done) => setTimeout(done, target === 'nx' ? 1500 : 100)); // workers have to notice that they are alone
  if (first.code !== 0) interrupted++;
  const before = kept();
  const executedBefore = executed();
  rmSync(executions, { force: true });
  const second = await run(args);
  const again = executed();
  const problems = [];
  if (second.code !== 0) problems.push(`the next run failed: ${second.output.slice(-500)}`);
  if (second.code === 0 && JSON.stringify(snapshot()) !== expected)
    problems.push('the bytes differ from those of an undisturbed run');
  if (again.length + before.size !== total)
    problems.push(`${before.size} replicates were kept, and ${again.length} of ${total} were executed`);
  repeated += executedBefore.filter((line) => again.includes(line)).length;
  if (problems.length > 0) {
    failed++;
    console.log(`trial ${trial} (${target}, after ${Math.round(afterMs)} ms): ${problems.join('; ')}`);
  }
}
console.log(
  `seed ${SEED}: ${TRIALS} kills, ${interrupted} of them hit a run, ${repeated} executions in flight were repeated (${(repeated / TRIALS).toFixed(2)} a kill)`,
);
if (TRIALS > 2 && kills.worker === 0) throw new Error('No worker was found to kill: how are they started?');
console.log(`${TRIALS - failed} passed, ${failed} failed`);
rmSync(home, { recursive: true, force: true });
process.exitCode = failed === 0 ? 0 : 1;
