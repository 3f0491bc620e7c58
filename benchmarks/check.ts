/**
 * Whether we have become clearly slower: a few ratios between runs side by side, each with a generous limit. Fails only when
 * a ratio is beyond its limit in the best of five tries.
 *
 *     npm run build && npx jiti benchmarks/check.ts
 */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareLoop, runOnce, trivialLab } from './lab.mjs';
import { time } from './measure.ts';
import { shapeOf } from './shapes.ts';
import type { Contender } from './tools/contender.ts';
import { plainNx } from './tools/nx.ts';
import { ours, oursWithoutNx } from './tools/ours.ts';

const TRIES = 5;
const SHAPE = shapeOf('B3', 0.2);
const STEPS = { conditions: 4, replicates: 1000 };

interface Check {
  readonly what: string;
  readonly limit: number;
  /** Runs both once. @returns what ours took and what it is compared with took, in one unit */
  readonly run: () => readonly [ours: number, other: number];
}

const folder = realpathSync(
  mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'nx-experiments-check-')),
);
const steps = trivialLab(STEPS);
let prepared = 0;

function fresh(contender: Contender): string {
  const root = join(folder, String(prepared++));
  mkdirSync(root);
  contender.prepare(root, SHAPE);
  return root;
}

function once(contender: Contender, root: string): number {
  return time(contender.run(root), root);
}

/** A root in which everything has run. */
function complete(contender: Contender): string {
  const root = fresh(contender);
  once(contender, root);
  return root;
}

const [under, plain] = [ours(), plainNx()];
const idle = { ours: '', plain: '', alone: '' };
const checks: readonly Check[] = [
  {
    what: 'from nothing, to the same graph of plain Nx',
    limit: 1.6,
    run: () => [once(under, fresh(under)), once(plain, fresh(plain))],
  },
  {
    what: 'with nothing to do, to plain Nx',
    limit: 1.7,
    run: () => {
      idle.ours ||= complete(under);
      idle.plain ||= complete(plain);
      return [once(under, idle.ours), once(plain, idle.plain)];
    },
  },
  {
    what: 'without Nx, nothing to do, to running everything',
    limit: 1,
    run: () => {
      idle.alone ||= complete(oursWithoutNx);
      return [once(oursWithoutNx, idle.alone), once(oursWithoutNx, fresh(oursWithoutNx))];
    },
  },
  {
    what: 'trivial steps with the run store, to those without',
    limit: 2,
    run: () => {
      const store = join(steps, `store${prepared++}`);
      return [runOnce(steps, store).steadyMs, runOnce(steps).steadyMs];
    },
  },
  {
    what: 'trivial steps, whole process, to a bare loop',
    limit: 9,
    run: () => [runOnce(steps).processMs, bareLoop(steps, STEPS).processMs],
  },
];

let failed = 0;
try {
  for (const { what, limit, run } of checks) {
    const best = { ours: Number.POSITIVE_INFINITY, other: Number.POSITIVE_INFINITY };
    for (let tries = 0; tries < TRIES; tries++) {
      const [own, other] = run();
      best.ours = Math.min(best.ours, own);
      best.other = Math.min(best.other, other);
      if (best.ours / best.other <= limit) break;
    }
    const ratio = best.ours / best.other;
    if (ratio > limit) failed++;
    console.log(`${ratio > limit ? 'SLOWER' : 'ok'}  ${what}: ${ratio.toFixed(2)} (at most ${limit})`);
  }
} finally {
  for (const path of [folder, steps]) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
if (failed > 0) {
  console.log('Find out why with: npm run bench');
  process.exitCode = 1;
}
