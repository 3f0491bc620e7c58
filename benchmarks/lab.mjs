import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BARE_LOOP = fileURLToPath(new URL('./bare-loop.mjs', import.meta.url));
const RUN_ONCE = fileURLToPath(new URL('./run-once.mjs', import.meta.url));

const MODULE = `
export const source = (ctx) => ctx.replicate;
export const add = (data, ctx) => data + ctx.params.delta;
export const double = (data) => data * 2;
export const record = (data, ctx) => { ctx.metrics.add('value', data); return data; };
`;

/** A folder with one experiment of three trivial steps. @returns its path */
export function trivialLab({ conditions, replicates }) {
  const root = mkdtempSync(join(tmpdir(), 'bench-'));
  mkdirSync(join(root, 'bench'));
  const config = {
    replicates,
    datasource: { data: 'source' },
    steps: ['add', 'double', 'record'],
    params: { delta: 0 },
    treatments: Object.fromEntries(
      Array.from({ length: conditions - 1 }, (_, i) => [`plus_${i + 1}`, { delta: i + 1 }]),
    ),
  };
  writeFileSync(join(root, 'bench/config.yaml'), JSON.stringify(config));
  writeFileSync(join(root, 'bench/datasources.mjs'), MODULE);
  writeFileSync(join(root, 'bench/steps.mjs'), MODULE);
  return root;
}

/** Milliseconds of a bare loop over the same functions in one process, and of that whole process. */
export function bareLoop(root, { conditions, replicates }) {
  return run([BARE_LOOP, root, String(conditions), String(replicates)]);
}

/** Runs it in a process of its own. @returns what that says, with the time of the whole process */
export function runOnce(root, store = '', workers = 1, flags = []) {
  return run([...flags, RUN_ONCE, root, store, String(workers)]);
}

/** @returns what a script of Node says as JSON, with the time of the whole process */
function run(args) {
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const processMs = performance.now() - startedAt;
  if (status !== 0) throw new Error(stderr);
  return { ...JSON.parse(stdout), processMs };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
